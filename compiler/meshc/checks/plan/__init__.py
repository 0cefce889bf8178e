"""Checks of the plan: what the user's settings and decisions of meshc come to together."""
