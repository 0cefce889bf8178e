"""Checks of the plan: what settings of the user's and decisions of meshc come to together."""
