"""Plain text, including Markdown and CSV. It has no signature: the whole file must decode to printable text."""

import codecs
import re
from typing import IO

from collections_app.engine.rendering.formats.base import TEXT_RENDERER, Format, FormatFamily

TEXT = Format(
    name="plain text, Markdown and CSV in UTF-8, or in UTF-16 with a byte order mark",
    content_type="text/plain",
    extension="txt",
    renderer=TEXT_RENDERER,
    pages="A4 pages with wrapped lines; the text itself",
)
_CHUNK = 64 * 1024
# Tabs, line breaks and form feeds are text.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def _detect_unsigned(file: IO[bytes], head: bytes) -> Format | None:
    file.seek(0)
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if is_utf16 else "utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            if _CONTROLS.search(decoder.decode(chunk)):
                return None
        return None if _CONTROLS.search(decoder.decode(b"", final=True)) else TEXT
    except UnicodeDecodeError:
        return None


FAMILY = FormatFamily(formats=(TEXT,), detect_unsigned=_detect_unsigned)
