"""Answers of the API."""
