"""The renderer of JSON responses."""

from typing import Any

import orjson
from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

_encoder = JSONEncoder()
# Dates are written as the framework writes them, so that no response depends on the encoder that was used.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


class JSONRenderer(renderers.JSONRenderer):
    """Writes JSON by orjson, which takes a fraction of the time of the standard library."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Return the data as JSON in UTF-8; empty for a response without a body."""
        if data is None:
            return b""
        try:
            return orjson.dumps(data, default=_encoder.default, option=_OPTIONS)
        except orjson.JSONEncodeError:
            # Integers of more than 64 bits, which metadata may have.
            content: bytes = super().render(data, accepted_media_type, renderer_context)
            return content
