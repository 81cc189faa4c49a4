"""NWB: find what a file holds, read it as a recording, write sessions and results."""
