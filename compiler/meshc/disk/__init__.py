"""Reads files without following links, and writes a `FileTree` to folders: all files, or none."""
