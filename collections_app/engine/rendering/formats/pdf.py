"""PDF. Text and other bytes may precede its signature."""

import io
from typing import IO

from collections_app.engine.rendering.formats.base import PDF_RENDERER, Format, FormatFamily

PDF = Format(
    name="PDF",
    content_type="application/pdf",
    extension="pdf",
    renderer=PDF_RENDERER,
    pages="as printed, with annotations and forms; the text layer, word by word",
)
_SIGNATURE = b"%PDF-"
_TAIL = 1024


def _detect(_file: IO[bytes], head: bytes) -> Format | None:
    return PDF if head.startswith(_SIGNATURE) else None


def _detect_unsigned(file: IO[bytes], head: bytes) -> Format | None:
    # PDF readers accept a signature within the first 1024 bytes.
    if _SIGNATURE not in head:
        return None
    file.seek(max(0, file.seek(0, io.SEEK_END) - _TAIL))
    return PDF if b"%%EOF" in file.read(_TAIL) else None


FAMILY = FormatFamily(formats=(PDF,), detect=_detect, detect_unsigned=_detect_unsigned)
