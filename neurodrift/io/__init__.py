"""Recordings from and to files."""
