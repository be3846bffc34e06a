import codecs

import pytest

from collections_app.engine.rendering.errors import UnsupportedType
from tests.collections_app.engine.rendering.formats.detection import format_of


@pytest.mark.parametrize(
    "content",
    [
        b"Plain text.",
        codecs.BOM_UTF8 + "Grüße".encode(),
        codecs.BOM_UTF16_LE + "Grüße".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Grüße".encode("utf-16-be"),
        b"name,year\r\nBMW,2024\f\n",
        b"<!-- a comment --> # Markdown",
        ("é" * 100_001).encode(),
    ],
)
def test_utf8_and_utf16_without_control_characters_are_text(content: bytes) -> None:
    assert format_of(content).content_type == "text/plain"


@pytest.mark.parametrize(
    "content",
    [
        b"text with \x1b[31mcontrol characters",
        b"text with \0",
        b"x" * 200_000 + b"\x01",
        "Grüße".encode("latin-1"),
        "Grüße".encode("utf-16-le"),
        codecs.BOM_UTF16_LE + b"\x00\xd8",
        codecs.BOM_UTF8 + "é".encode()[:1],
    ],
)
def test_anything_else_is_not_text(content: bytes) -> None:
    with pytest.raises(UnsupportedType):
        format_of(content)


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><title>x</title>", b" \n <HTML>", b'<?xml version="1.0"?><svg/>'])
def test_markup_is_not_plain_text(content: bytes) -> None:
    with pytest.raises(UnsupportedType, match="web page or XML"):
        format_of(content)
