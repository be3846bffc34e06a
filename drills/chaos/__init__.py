"""Breaks each part of the stack at each step of ingestion, and checks every document afterwards: `make chaos`."""
