"""Recordings to statistics: one room an idea, and `analyze`, which runs them all.

Nothing here knows whether an animal or a network made the recording. Functions take labelled arrays
and give labelled arrays.
"""
