"""Checks of the objects that the user's files add or change, as they will be applied."""
