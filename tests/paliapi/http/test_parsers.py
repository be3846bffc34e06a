"""Parsers of request bodies."""

import base64
import json
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from paliapi.errors import TooLarge, Unparsable
from paliapi.http.parsers import SMALL_BODY_BYTES, JSONParser, TooManyValues, check_value_count


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


MANY = 400_000


@pytest.mark.parametrize(
    "body",
    [
        '{"a": [' + "1," * MANY + "1]}",
        '{"a": [' + "[]," * (MANY // 2) + "1]}",
        '{"a": [' + "{}," * (MANY // 2) + "1]}",
        "{" + '"a":1,' * MANY + '"a":1}',
        '{"a": [' + ("[" * 900 + "]" * 900 + ",") * (MANY // 900) + "1]}",
    ],
)
def test_body_with_too_many_values_is_refused_before_it_is_decoded(body: str) -> None:
    with pytest.raises(TooManyValues, match="312,144 values"):
        parse(body.encode(), limit=10**7)
    with pytest.raises(TooManyValues):
        parse(body[:-1].encode(), limit=10**7)  # it is not even JSON
    with pytest.raises(TooManyValues):
        check_value_count(body.encode())


def test_metadata_of_the_maximum_size_has_few_enough_values() -> None:
    kilobytes = settings.ENV.max_metadata_kb
    numbers = [1] * (kilobytes * 512 - 10)
    assert parse(json.dumps({"metadata": {"a": numbers}, "b": "x" * 10**6}).encode())
    assert parse(json.dumps({"metadata": {"a": "," * (kilobytes * 1024)}}).encode())


def test_large_base64_is_not_counted_as_values() -> None:
    assert parse(json.dumps({"a": base64.b64encode(bytes(range(256)) * 10_000).decode()}).encode(), limit=10**7)


def test_truncated_body_is_refused() -> None:
    with pytest.raises(Unparsable, match="before the whole body"):
        parse(b'{"a": 1}', length="9")


@pytest.mark.parametrize("length", ["", "x", "0"])
def test_missing_length_is_no_error(length: str) -> None:
    assert parse(b'{"a": 1}', length=length) == {"a": 1}
