"""Encrypts a Secret in memory into the sealed object that is committed. Only commands use it: compile never seals."""
