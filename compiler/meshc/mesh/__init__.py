"""mesh turns the text of mesh.yaml and the files it names into a checked `Mesh`."""
