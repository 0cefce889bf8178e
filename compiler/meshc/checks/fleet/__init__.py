"""Checks of mesh.yaml, and of the files that it names."""
