"""Statistics of drift as one vector, in which time, gain and the number of cells have no unit.

:mod:`vector` has their names and makes them of what was seen, :mod:`drift` of whatever a lab has,
:mod:`words` says what each is and why it speaks of the rule. The kernels are in ``measures``.
"""
