"""Checks of what goes into one overlay, before any patch is applied."""
