"""Functions from recordings to statistics; none of them knows who was recorded."""
