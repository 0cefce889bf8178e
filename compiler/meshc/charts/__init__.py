"""Renders charts into objects, with the real helm program."""
