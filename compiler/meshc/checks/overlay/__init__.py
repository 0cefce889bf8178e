"""Checks of the objects and patches of one overlay, before any patch is applied."""
