"""Units, limits and formats that all packages share."""

from datetime import datetime

MEBIBYTE = 1024 * 1024
MAX_NAME_LENGTH = 255  # characters in the name of a collection or document
MAX_FILES_PER_FORM = 100  # each is an open file until the request ends

# Characters, as in the brackets of a regular expression, that are invisible and change or hide the text around them:
# further control characters, line separators, direction overrides, zero-width spaces, tags. Joiners and direction marks
# are not among them, because languages need them.
DISGUISING = (
    "\x80-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)


def rfc3339(value: datetime) -> str:
    """Format a UTC time as in RFC 3339, with `Z`, as DRF does."""
    return value.isoformat().replace("+00:00", "Z")
