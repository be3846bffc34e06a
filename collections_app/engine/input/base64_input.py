"""Base64 in requests: the standard alphabet, without line breaks or a data URI."""

import base64
import binascii
import re
from collections.abc import Iterator

from collections_app.engine.input.errors import Base64Invalid
from paliapi.errors import Problem

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_CHUNK = 4 * 256 * 1024  # characters; a multiple of four, so that each chunk is valid by itself


def decode(text: str, *, at: str) -> bytes:
    """Decode a small input, which may be empty; `at` is its JSON pointer in the request."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(at) from None


def decode_chunks(text: str, *, at: str) -> Iterator[bytes]:
    """Check a large input at once and return its bytes in chunks, so that they are not in memory all at the same time.

    The length and the alphabet are checked before this returns.
    """
    if len(text) % 4 or not _BASE64.fullmatch(text):
        raise _invalid(at)
    return (decode(text[start : start + _CHUNK], at=at) for start in range(0, len(text), _CHUNK))


def _invalid(at: str) -> Base64Invalid:
    return Base64Invalid(problems=(Problem(at, Base64Invalid.code, Base64Invalid.title),))
