"""Webhooks: messages to the servers of users about what happened to their documents.

Other packages use `courier`, `deliveries`, `endpoints`, `errors`, `keys` and `outbox`.
"""
