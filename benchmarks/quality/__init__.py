"""Retrieval quality of the built-in models over real documentation in several languages: `make bench-quality`."""
