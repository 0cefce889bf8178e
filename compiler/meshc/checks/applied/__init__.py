"""Checks of the objects of a cluster that a user's file touched, as they will be applied."""
