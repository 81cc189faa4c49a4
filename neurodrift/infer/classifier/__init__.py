"""Which rule a vector of statistics comes from: what is learnt from the runs of a prior.

The runs as arrays, the scale on which statistics are features, the calibrated classifier, a neural
one beside it, and one that knows the speed of drift alone.
"""
