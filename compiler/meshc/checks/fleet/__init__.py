"""Checks of what mesh.yaml says, and of the files that it names."""
