"""Parsers of request bodies, with a size limit set by the view and strict syntax."""

import json
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import UnreadablePostError
from rest_framework import parsers
from rest_framework.utils.json import strict_constant

from paliapi.errors import TooLarge, Unparsable
from paliapi.http.uploads import HashingUploadHandler, TooManyFiles
from paliapi.units import MAX_FILES_PER_FORM, MEBIBYTE

SMALL_BODY_BYTES = 2 * MEBIBYTE
# How many values a JSON body may have in addition to its metadata, where each takes a byte: more than any filter has.
_VALUES_BESIDES_METADATA = 50_000
_INCOMPLETE = "The connection ended before the whole body was received."


def max_json_upload_bytes() -> int:
    """Return the size of a JSON body that carries a document of maximum size in base64."""
    return settings.ENV.max_body_bytes


def max_body_bytes(view: Any) -> int:
    """Return the maximum size of a JSON body for a view."""
    limit = getattr(view, "max_body_bytes", SMALL_BODY_BYTES)
    return limit() if callable(limit) else limit


class TooManyValues(TooLarge):
    code = "too_many_values"
    title = "The JSON has too many values."


def check_value_count(body: bytes) -> None:
    """Raise TooManyValues if JSON may have more values than any valid request, before it is decoded.

    A decoded value takes far more memory than the two bytes that it may have in the body.
    """
    limit = settings.ENV.max_metadata_kb * 1024 + _VALUES_BESIDES_METADATA
    if len(body) <= limit:
        return
    # Every value but the outermost follows a comma, or opens a list or an object. Those within text are counted too.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > limit:
        raise TooManyValues(f"A JSON body may have about {limit:,} values, counted by its commas and brackets.")


class JSONParser(parsers.BaseParser):
    """Parses JSON objects in UTF-8, up to `view.max_body_bytes`."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], _media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = max_body_bytes((parser_context or {}).get("view"))
        if _content_length(parser_context) > limit:
            raise TooLarge(f"A JSON body may have at most {limit:,} bytes at this URL.")
        try:
            body = stream.read(limit)
        except UnreadablePostError:
            raise Unparsable(_INCOMPLETE) from None
        if len(body) < _content_length(parser_context):
            raise Unparsable(_INCOMPLETE)
        check_value_count(body)
        try:
            data = json.loads(body.decode("utf-8"), parse_constant=strict_constant)
        except RecursionError:
            raise Unparsable("The JSON is nested too deeply.") from None
        except ValueError as problem:
            raise Unparsable(_describe(problem)) from None
        if not isinstance(data, dict):
            raise Unparsable("The body must be a JSON object.")
        return data


def _describe(problem: ValueError) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f"The body is not JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}."
    if isinstance(problem, UnicodeDecodeError):
        return "The body is not UTF-8."
    return "The body is not JSON: it contains a number that is out of range."


class MultiPartParser(parsers.MultiPartParser):
    """Parses forms with at most one file, whose size the upload handler limits while it arrives."""

    max_files = 1

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        size = _content_length(parser_context)
        if size > settings.ENV.max_body_bytes:
            raise TooLarge(f"A file may have at most {settings.ENV.max_upload_mb} MB.")
        body = cast(IO[Any], _CompleteBody(stream, size=size))
        request = (parser_context or {})["request"]
        request.upload_handlers = [HashingUploadHandler(request, max_files=self.max_files)]
        try:
            return super().parse(body, media_type, parser_context)
        except TooManyFilesSent:
            raise TooManyFiles from None


class ManyFilesParser(MultiPartParser):
    """Parses forms with several files, each of which is an open file on disk until the request ends."""

    max_files = MAX_FILES_PER_FORM


class _CompleteBody:
    """A stream that raises Unparsable if it ends before its Content-Length, so that no truncated file is accepted."""

    def __init__(self, stream: IO[Any], *, size: int) -> None:
        self._stream = stream
        self._missing = size

    def read(self, size: int = -1) -> bytes:
        try:
            chunk: bytes = self._stream.read(size)
        except UnreadablePostError:
            raise Unparsable(_INCOMPLETE) from None
        self._missing -= len(chunk)
        if not chunk and size and self._missing > 0:
            raise Unparsable(_INCOMPLETE)
        return chunk


def _content_length(parser_context: Any) -> int:
    """Return the Content-Length of the request, or 0 if it is missing or malformed."""
    request = (parser_context or {}).get("request")
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) if request else 0
    except ValueError:
        return 0
