"""How bodies are read: with a limit in bytes of the view's choosing, and nothing surprising in them."""

import json
from typing import IO, Any, cast

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework import parsers
from rest_framework.utils.json import strict_constant

from paliapi.errors import TooLarge, Unparsable
from paliapi.units import MEBIBYTE

SMALL_BODY_BYTES = 2 * MEBIBYTE
_CUT_OFF = "The connection ended before the body did."


def largest_json_upload() -> int:
    """Bytes of a JSON body that carries the largest document in base64."""
    return settings.ENV.max_upload_mb * MEBIBYTE * 4 // 3 + SMALL_BODY_BYTES


class JSONParser(parsers.BaseParser):
    """JSON objects in UTF-8, up to `view.max_body_bytes`."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], _media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = getattr((parser_context or {}).get("view"), "max_body_bytes", SMALL_BODY_BYTES)
        if callable(limit):
            limit = limit()
        try:
            body = stream.read(limit + 1)
        except UnreadablePostError:
            raise Unparsable(_CUT_OFF) from None
        if len(body) > limit:
            raise TooLarge(f"A JSON body may have at most {limit:,} bytes here.")
        if len(body) < _announced(parser_context):
            raise Unparsable(_CUT_OFF)
        try:
            data = json.loads(body.decode("utf-8"), parse_constant=strict_constant)
        except RecursionError:
            raise Unparsable("The JSON is nested too deeply.") from None
        except ValueError as problem:
            raise Unparsable(_why(problem)) from None
        if not isinstance(data, dict):
            raise Unparsable("The body must be a JSON object.")
        return data


def _why(problem: ValueError) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f"The body is not JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}."
    if isinstance(problem, UnicodeDecodeError):
        return "The body is not UTF-8."
    return "The body is not JSON: a number in it is out of range."


class MultiPartParser(parsers.MultiPartParser):
    """Forms with a file; the upload handler counts the file's bytes as they come."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        whole = cast(IO[Any], _Whole(stream, size=_announced(parser_context)))
        return super().parse(whole, media_type, parser_context)


class _Whole:
    """A body that does not end before the size it was announced with: half a file is no file."""

    def __init__(self, stream: IO[Any], *, size: int) -> None:
        self._stream = stream
        self._missing = size

    def read(self, size: int = -1) -> bytes:
        try:
            piece: bytes = self._stream.read(size)
        except UnreadablePostError:
            raise Unparsable(_CUT_OFF) from None
        self._missing -= len(piece)
        if not piece and size and self._missing > 0:
            raise Unparsable(_CUT_OFF)
        return piece


def _announced(parser_context: Any) -> int:
    """The length that the request says its body has."""
    request = (parser_context or {}).get("request")
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) if request else 0
    except ValueError:
        return 0
