"""Measurements of the clients."""
