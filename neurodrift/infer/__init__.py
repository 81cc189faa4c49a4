"""Which learning rule drifts like this? Statistics of drift, a prior of rules, and honest doubt.

:mod:`observed` is what was seen of an animal or of a network: counts in two halves of each session.
:mod:`statistics` makes one vector of it, in which time, gain and the number of cells have no unit.
A prior of simulated networks, seen as the animal was, is drawn, and :mod:`rule` says which of its
rules the vector comes from, how sure that is, or that it comes from none of them.
"""
