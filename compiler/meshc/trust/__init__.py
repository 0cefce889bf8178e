"""trust turns the public certificates of a mesh into problems: what keeps a CA from the common root."""
