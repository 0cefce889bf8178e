"""Draws pictures of a plan in Mermaid. Clusters are bundled, so that pictures of a large mesh stay readable."""
