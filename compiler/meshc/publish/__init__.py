"""publish turns compiled trees into what changed, what that puts at risk, and a commit."""
