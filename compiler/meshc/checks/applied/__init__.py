"""Checks of the objects of a cluster that a file of the user's touched, as they will be applied."""
