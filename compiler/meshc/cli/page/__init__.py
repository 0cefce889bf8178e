"""Writes what a report holds as one HTML page, which needs no network."""
