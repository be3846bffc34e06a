"""The models: `base` defines a backend, `choose` selects one, and each has a module of its own."""
