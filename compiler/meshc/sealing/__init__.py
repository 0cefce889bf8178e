"""Finds the sealed object that is committed for a Secret that a cluster needs. This room never seals."""
