"""output turns the tree of overlays/ into the `FileTree` of output/, through real kustomize."""
