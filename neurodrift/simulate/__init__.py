"""Tasks, networks and learning rules whose hidden layers are recordings."""
