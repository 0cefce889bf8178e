"""Turns both trees into a commit where Argo CD or Flux reads them, and what two trees hold into what changed."""
