"""Arrays of other formats, read within bounds and without running anything."""
