"""seal turns a Secret in memory into the sealed object that is committed. For commands only: compile never seals."""
