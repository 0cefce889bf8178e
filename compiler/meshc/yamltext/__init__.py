"""yamltext turns text into documents with places, and objects into text: the only importer of the YAML library."""
