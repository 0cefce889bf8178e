"""plan turns a checked `Mesh` into a `Plan`: every default settled, every name spelled, every peer listed."""
