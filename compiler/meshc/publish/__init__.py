"""Commits both trees where Argo CD or Flux reads them."""
