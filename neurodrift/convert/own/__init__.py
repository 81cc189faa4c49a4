"""A laboratory's own arrays to NWB: inspection, mapping, checks, sessions."""
