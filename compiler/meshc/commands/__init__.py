"""Use cases: each takes values and returns values. Nothing here prints; a listener hears of notes and steps."""
