"""Recordings and simulations beside each other: slopes, decay, agreement, statements."""
