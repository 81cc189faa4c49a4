"""Compiled kernels of the fused engine; imported by the functions that run them."""
