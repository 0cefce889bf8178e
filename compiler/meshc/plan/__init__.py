"""Makes a `Plan` from a checked `Mesh`: with every default filled in, every name spelled out, every peer listed."""
