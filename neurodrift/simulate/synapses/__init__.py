"""Synapses that never rest: Oja's rule among irrelevant stimuli, and weights that fluctuate."""
