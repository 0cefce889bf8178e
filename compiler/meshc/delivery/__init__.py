"""delivery turns a plan into the objects by which Argo CD or Flux applies output/."""
