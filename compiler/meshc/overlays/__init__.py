"""Lays out the objects of every cluster as the `FileTree` of overlays/."""
