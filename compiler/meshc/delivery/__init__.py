"""Makes the objects by which Argo CD or Flux applies output/, from a plan."""
