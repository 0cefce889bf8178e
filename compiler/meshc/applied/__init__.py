"""applied turns the objects of a cluster as they will be applied into what the API server or the mesh refuses."""
