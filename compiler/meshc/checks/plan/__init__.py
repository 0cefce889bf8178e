"""Checks of the plan: settings that contradict or change what meshc decides."""
