"""Reads files without following links, and writes a `FileTree` to folders: all of it, or nothing."""
