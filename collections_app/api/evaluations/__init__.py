"""Endpoints of evaluations."""
