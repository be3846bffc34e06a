"""AVIF. Its size is parsed here, because Pillow would read and parse the whole file in the caller's process."""

import mmap
from collections.abc import Iterator
from typing import IO

from PIL import AvifImagePlugin

from collections_app.engine.rendering import image_renderer
from collections_app.engine.rendering.formats.base import Format, FormatFamily
from collections_app.engine.rendering.formats.pillow import damaged_image, image_format
from collections_app.engine.rendering.protocol import Job, RasterPage

_BRANDS = {b"avif", b"avis"}
# The major brands that Pillow accepts: those of AVIF itself, and those of the containers of images and sequences.
_MAJOR_BRANDS = {*_BRANDS, b"mif1", b"msf1"}
_MAX_BOXES = 1000
# Boxes that contain other boxes, by the number of bytes that precede these.
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0}
_IMAGE_SIZE, _TRACK_SIZE = b"ispe", b"tkhd"


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    """Render the image in this thread. By default the decoder would start others, which the sandbox forbids."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return image_renderer.render_pages(content, job)


def _read_size(file: IO[bytes]) -> tuple[int, int]:
    """Return the largest size that the file declares; tiles and thumbnails declare theirs as well."""
    end = file.seek(0, 2)
    sizes = [size for kind, start in _boxes(file, end) if (size := _declared_size(file, kind, start)) is not None]
    if not sizes:
        raise damaged_image()
    return max(sizes, key=lambda size: size[0] * size[1])


def _boxes(file: IO[bytes], end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the type and the start of the content of each box, down to those that declare a size."""
    ranges = [(0, end)]
    count = 0
    while ranges:
        start, end = ranges.pop()
        while start + 8 <= end:
            count += 1
            if count > _MAX_BOXES:
                raise damaged_image()
            kind, content, following = _read_box(file, start, end)
            if kind in _CONTAINERS:
                ranges.append((content + _CONTAINERS[kind], following))
            else:
                yield kind, content
            start = following


def _read_box(file: IO[bytes], start: int, end: int) -> tuple[bytes, int, int]:
    """Return the type of a box, where its content starts, and where it ends."""
    file.seek(start)
    header = file.read(16)
    size, kind, content = int.from_bytes(header[:4], "big"), header[4:8], start + 8
    if size == 1:  # a 64-bit size follows
        size, content = int.from_bytes(header[8:16], "big"), start + 16
    following = start + size if size else end  # 0: up to the end
    if not content <= following <= end:
        raise damaged_image()
    return kind, content, following


def _declared_size(file: IO[bytes], kind: bytes, content: int) -> tuple[int, int] | None:
    if kind not in (_IMAGE_SIZE, _TRACK_SIZE):
        return None
    file.seek(content)
    data = file.read(96)
    if kind == _IMAGE_SIZE:
        width, height = data[4:8], data[8:12]
    else:  # fixed-point numbers at the end, which is further back in version 1
        offset = 88 if data[:1] == b"\x01" else 76
        width, height = data[offset : offset + 2], data[offset + 4 : offset + 6]
    size = int.from_bytes(width, "big"), int.from_bytes(height, "big")
    return size if all(size) else None


AVIF = image_format("AVIF", read_size=_read_size, renderer=__name__)


def _detect(_file: IO[bytes], head: bytes) -> Format | None:
    if head[4:8] != b"ftyp" or head[8:12] not in _MAJOR_BRANDS:
        return None
    size = int.from_bytes(head[:4], "big")
    brands = {head[8:12], *(head[offset : offset + 4] for offset in range(16, min(size, len(head)), 4))}
    return AVIF if brands & _BRANDS else None


FAMILY = FormatFamily(formats=(AVIF,), detect=_detect)
