"""The embeddings service and its client: `contract`, `client`, `server`, `backends`, `launchers`."""
