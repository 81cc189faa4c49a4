"""How a representation changes between sessions, and how much of that is noise.

Everything here compares two sessions of the same units, and has the dimensions ``session_a`` and
``session_b``.
"""
