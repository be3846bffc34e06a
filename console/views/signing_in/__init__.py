"""Signing in, and how an account is protected."""
