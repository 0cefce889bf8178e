"""Parses YAML text with the place of each value, and writes objects as text. Only this room imports a YAML library."""
