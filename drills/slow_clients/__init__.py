"""Thousands of slow clients next to normal traffic."""
