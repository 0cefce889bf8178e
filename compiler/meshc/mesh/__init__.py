"""Parses mesh.yaml and reads the files it names: the result is a checked `Mesh`."""
