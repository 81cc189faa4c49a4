"""A prior of learning rules: many simulated networks, seen as an animal was.

Its settings, one run of it, the store of all runs, and the matching of the rules on how fast they
drift and where they start.
"""
