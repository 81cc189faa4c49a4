"""Maps of activity over position: bins, rate maps, place fields, sparsity, trials.

What a unit does where, before anything is asked about significance or change.
"""
