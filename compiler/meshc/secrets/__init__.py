"""secrets turns the need of a Secret into the sealed object committed for it. It places, it never seals."""
