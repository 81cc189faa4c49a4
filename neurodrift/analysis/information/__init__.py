"""How much activity tells about position: estimates, their sampling bias and its correction.

Spatial and mutual information of every unit, the subsampled curves that SSR and BAE are fitted to,
and the units whose information is above a threshold.
"""
