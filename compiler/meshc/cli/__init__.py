"""cli turns words into calls and results into exit codes."""
