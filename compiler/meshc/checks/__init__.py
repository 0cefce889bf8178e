"""All checks, in folders by what they check. `registry` has the only list of the checks of mesh.yaml."""
