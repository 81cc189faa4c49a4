"""Settings of simulations: YAML, JSON Schemas, ranges, the registry of kinds."""
