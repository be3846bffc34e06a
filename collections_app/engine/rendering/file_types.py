"""Detect the type of a file from its content alone; its name and its declared type are ignored.

A signature at the first byte wins. Only a file without one may be a PDF that starts later, within the first 1024 bytes,
as PDF readers allow; so an image that contains a PDF is an image, and a web page that contains one is a web page. A
bounded amount is read into memory, and the file is left at its start.
"""

import codecs
import re
from typing import IO

from collections_app.engine.rendering import ole2, zip_check
from collections_app.engine.rendering.errors import FileEmpty, PageTooLarge, UnsupportedType
from collections_app.engine.rendering.formats.base import Format, SizeReader
from collections_app.engine.rendering.formats.pdf import PDF
from collections_app.engine.rendering.formats.registry import ACCEPTED, FAMILIES, OFFICE_CONTENT_TYPES, known_format

__all__ = ["ACCEPTED", "OFFICE_CONTENT_TYPES", "PDF_CONTENT_TYPE", "known_format", "sniff"]

MAX_PIXELS = 100_000_000
PDF_CONTENT_TYPE = PDF.content_type

_HEAD = 1024
_MARKUP = re.compile(rb"\s*<(?:!doctype\s|html|head|body|script|svg|\?xml)", re.IGNORECASE)


def sniff(file: IO[bytes], *, max_pixels: int = MAX_PIXELS) -> Format:
    """Return the format of a seekable file, or raise an error such as UnsupportedType, FileDamaged or PageTooLarge."""
    try:
        file.seek(0)
        head = file.read(_HEAD)
        if not head:
            raise FileEmpty
        format_ = _detect_signed(file, head) or _detect_unsigned(file, head)
        if format_.read_size:
            _check_size(file, format_.read_size, max_pixels=max_pixels)
        return format_
    finally:
        file.seek(0)


def _detect_signed(file: IO[bytes], head: bytes) -> Format | None:
    for family in FAMILIES:
        if family.detect and (format_ := family.detect(file, head)):
            return format_
    if head.startswith((zip_check.SIGNATURE, ole2.SIGNATURE)):
        raise _unsupported("This is an archive, but not an Office document.")
    return None


def _detect_unsigned(file: IO[bytes], head: bytes) -> Format:
    bare = head.removeprefix(codecs.BOM_UTF8)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        bare = head[: len(head) // 2 * 2].decode("utf-16", errors="replace").encode(errors="replace")
    if _MARKUP.match(bare):
        raise _unsupported("This is a web page or XML.")
    for family in FAMILIES:
        if family.detect_unsigned and (format_ := family.detect_unsigned(file, head)):
            return format_
    raise _unsupported("The type of this file was not recognised.")


def _check_size(file: IO[bytes], read_size: SizeReader, *, max_pixels: int) -> None:
    """Check that the header is complete and the (first) image not too large; no pixel is decoded here."""
    width, height = read_size(file)
    if width * height > max_pixels:
        detail = f"The image has {width} x {height} pixels; the limit is {max_pixels // 1_000_000} megapixels."
        raise PageTooLarge(detail)


def _unsupported(detail: str) -> UnsupportedType:
    return UnsupportedType(f"{detail} Accepted are {ACCEPTED}.")
