"""Finds secrets in plain text."""
