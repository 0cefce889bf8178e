"""capture turns living clusters, or dumps of them, into inputs of the repository, and into what differs from them."""
