"""Which units are place cells: tests against shuffles, and stability within a session.

The nulls (circular shifts, laps, blocks), their exact and sampled distributions, and what the tests
say of a unit.
"""
