"""Hebbian similarity matching: inputs, network, plasticity and what is measured of it."""
