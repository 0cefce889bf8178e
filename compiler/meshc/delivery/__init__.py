"""Makes the objects that let Argo CD or Flux apply output/, from a plan."""
