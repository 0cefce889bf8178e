"""Reads live clusters, or dumps of them: writes inputs of the repository, and finds differences from it."""
