"""Compares two trees of output/: what changed in each cluster, and its dangers."""
