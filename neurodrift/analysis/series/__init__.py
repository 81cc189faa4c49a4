"""One series of sessions: its trend, its plateau, its noise that remembers, and what it shows.

Slopes, phases and comparisons ask the same model, so that a recording tells one story.
"""
