"""Recordings from and to other libraries' objects in memory."""
