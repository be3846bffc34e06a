"""Dify's external-knowledge API: its endpoint, its bodies, and its conditions as filters."""
