"""Kernels of the statistics of drift, one idea a file, from products of halves.

Each takes a :class:`view.View` and gives arrays over (replicate, ...): the first replicate is all
units, the others leave one group of units out.
"""
