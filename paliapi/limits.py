"""Limits that several packages share."""

MAX_NAME_LENGTH = 255  # characters in the name of a collection or document
