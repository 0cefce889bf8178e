"""The use cases: each takes values and returns values. Nothing here prints. A listener receives notes and steps."""
