"""Renders the tree of overlays/ into the `FileTree` of output/, with real kustomize."""
