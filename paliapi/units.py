"""Units, limits and formats that all packages share."""

from datetime import datetime

MEBIBYTE = 1024 * 1024
MAX_NAME_LENGTH = 255  # characters in the name of a collection or document


def rfc3339(value: datetime) -> str:
    """Format a UTC time as in RFC 3339, with `Z`, as DRF does."""
    return value.isoformat().replace("+00:00", "Z")
