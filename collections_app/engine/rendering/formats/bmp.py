"""BMP. Its signature is two letters that text may start with, so the size of the header is checked as well."""

from typing import IO

from PIL.BmpImagePlugin import BmpImageFile

from collections_app.engine.rendering.formats.base import Format, FormatFamily
from collections_app.engine.rendering.formats.pillow import image_format, size_by

BMP = image_format("BMP", read_size=size_by(BmpImageFile))
_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)


def _detect(_file: IO[bytes], head: bytes) -> Format | None:
    is_bmp = head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _HEADER_SIZES
    return BMP if is_bmp else None


FAMILY = FormatFamily(formats=(BMP,), detect=_detect)
