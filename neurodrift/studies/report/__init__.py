"""The report of a study: its answers, its animals, and what becomes of both otherwise."""
