"""How bodies are read: with a limit in bytes of the view's choosing, and nothing surprising in them."""

import json
from typing import IO, Any

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework import parsers
from rest_framework.utils.json import strict_constant

from paliapi.errors import TooLarge, Unparsable

MEBIBYTE = 1024 * 1024
SMALL_BODY_BYTES = 2 * MEBIBYTE


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
            raise Unparsable("The connection ended before the body did.") from None
        if len(body) > limit:
            raise TooLarge(f"A JSON body may have at most {limit:,} bytes here.")
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
