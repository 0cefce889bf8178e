"""publish turns both trees into a commit where Argo CD or Flux reads them."""
