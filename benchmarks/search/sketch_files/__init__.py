"""Sketches in files that processes share, compared with sketches that each process loads from Postgres."""
