"""The format of timestamps in responses and messages."""

from datetime import datetime


def rfc3339(value: datetime) -> str:
    """Format a UTC time as in RFC 3339, with `Z`, as DRF does."""
    return value.isoformat().replace("+00:00", "Z")
