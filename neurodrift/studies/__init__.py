"""Studies: many recordings from one file, pooled with the animal as the unit of inference."""
