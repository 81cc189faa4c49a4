"""Recordings and results from and to files."""
