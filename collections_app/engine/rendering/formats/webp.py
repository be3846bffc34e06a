"""WebP. Its size is parsed here, because Pillow would allocate memory for the whole image at once."""

from typing import IO

from collections_app.engine.rendering.formats.base import Format, FormatFamily
from collections_app.engine.rendering.formats.pillow import damaged_image, image_format


def _read_size(file: IO[bytes]) -> tuple[int, int]:
    file.seek(0)
    head = file.read(30)
    chunk, start = head[12:16], head[20:30]
    if len(head) == 30 and chunk == b"VP8X":
        return int.from_bytes(start[4:7], "little") + 1, int.from_bytes(start[7:10], "little") + 1
    if len(head) == 30 and chunk == b"VP8L" and start[0] == 0x2F:
        bits = int.from_bytes(start[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if len(head) == 30 and chunk == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(start[6:8], "little") & 0x3FFF, int.from_bytes(start[8:10], "little") & 0x3FFF
    raise damaged_image()


WEBP = image_format("WEBP", read_size=_read_size, name="WebP")


def _detect(_file: IO[bytes], head: bytes) -> Format | None:
    return WEBP if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


FAMILY = FormatFamily(formats=(WEBP,), detect=_detect)
