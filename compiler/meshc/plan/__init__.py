"""Makes a `Plan` from a checked `Mesh`: all defaults are filled in, all names are complete, all peers are listed."""
