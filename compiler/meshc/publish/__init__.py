"""Commits overlays/ and output/ to the place that Argo CD or Flux reads."""
