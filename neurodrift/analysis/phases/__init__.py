"""Phases of learning: fast learning, directed drift, null drift, their borders and the evidence."""
