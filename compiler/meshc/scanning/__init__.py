"""Finds secrets that stand in plain text."""
