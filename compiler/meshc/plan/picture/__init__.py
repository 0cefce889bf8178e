"""Turns a plan into pictures: bundled, so that a large mesh stays readable, and written as Mermaid."""
