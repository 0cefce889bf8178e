"""Every check, by what it looks at. `registry` is the only list of them."""
