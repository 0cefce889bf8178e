"""disk turns paths into bytes without following a link, and a `FileTree` into folders, whole or not at all."""
