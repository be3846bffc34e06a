"""Files inside JSON."""

import base64
import binascii

from collections_app.engine.input.errors import Base64Invalid
from paliapi.errors import Problem


def decoded(text: str, *, at: str) -> bytes:
    """Base64 in the standard alphabet, without line breaks and data URI; `at` is where it lies in the request."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Base64Invalid(problems=(Problem(at, Base64Invalid.code, Base64Invalid.title),)) from None
