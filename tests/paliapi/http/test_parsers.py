"""Parsers of request bodies."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from paliapi.errors import TooLarge, Unparsable
from paliapi.http.parsers import SMALL_BODY_BYTES, JSONParser


def parse(body: bytes, *, length: str | None = None, limit: Any = SMALL_BODY_BYTES) -> Any:
    request = SimpleNamespace(META={"CONTENT_LENGTH": str(len(body)) if length is None else length})
    context = {"view": SimpleNamespace(max_body_bytes=limit), "request": request}
    return JSONParser().parse(BytesIO(body), parser_context=context)


def test_object_is_parsed() -> None:
    assert parse('{"name": "ü", "n": 1}'.encode()) == {"name": "ü", "n": 1}


@pytest.mark.parametrize("limit", [9, lambda: 9])
def test_body_is_limited_by_the_view(limit: Any) -> None:
    assert parse(b'{"a": 12}', limit=limit) == {"a": 12}
    with pytest.raises(TooLarge, match="at most 9 bytes"):
        parse(b'{"a": 123}', limit=limit)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b'{"a": }', "line 1, column 7"),
        (b"[1]", "must be a JSON object"),
        (b'{"a": NaN}', "out of range"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_malformed_body_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(Unparsable, match=message):
        parse(body)


def test_truncated_body_is_refused() -> None:
    with pytest.raises(Unparsable, match="before the whole body"):
        parse(b'{"a": 1}', length="9")


@pytest.mark.parametrize("length", ["", "x", "0"])
def test_missing_length_is_no_error(length: str) -> None:
    assert parse(b'{"a": 1}', length=length) == {"a": 1}
