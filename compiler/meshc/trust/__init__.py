"""Checks the public certificates of a mesh, and reports why a CA doesn't chain to the common root."""
