"""Writes the objects of every cluster into the `FileTree` of overlays/, and finds the objects that patches match."""
