"""What was seen of an animal or of a network: counts of units in two halves of each session.

:mod:`counts` are the counts, :mod:`recording` and :mod:`results` read them from an animal, and
:mod:`network` sees a network by the :class:`protocol.Observation` of an animal: as many cells and
events, the same days, and the same losses.
"""
