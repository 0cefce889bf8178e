"""Renders charts into objects, with real helm."""
