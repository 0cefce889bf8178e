"""overlays turns the objects of every cluster into the `FileTree` of overlays/."""
