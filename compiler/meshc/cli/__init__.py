"""Parses the command line, calls a command, and maps its result to an exit code."""
