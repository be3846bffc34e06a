"""What rendering takes and gives, and the frames in which it passes from the child process to its parent."""

import json
import math
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any, Literal, Self, TypeAlias

from PIL.Image import Image

from embeddings.word import Word
from paliapi.errors import Error

Encoding: TypeAlias = Literal["png", "jpeg", "webp"]

MAX_SIDE_PX = 16_000  # WebP ends at 16,383
_SIZES = struct.Struct(">III")
_MAX_HEADER = 32 * 1024 * 1024
_MAX_IMAGE = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """What one document may cost."""

    max_pages: int = 1000
    megapixels: int = 25  # larger pages are scaled down to this
    source_megapixels: int = 100  # larger pictures are refused
    memory_mb: int = 1536
    # Seconds of waiting for the child, which is not waited for while enough pages are drawn.
    page_s: int = 60  # until the next page is there
    total_s: int = 1800  # for all pages together


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page as the child has it before it is encoded."""

    image: Image
    text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage:
    """One page as an encoded image, and small; `text` and `words` are empty where there is no text layer."""

    number: int
    total: int
    image: bytes
    content_type: str
    width: int
    height: int
    thumbnail: bytes = b""
    text: str = ""
    words: tuple[Word, ...] = ()


class PageNotDrawn(Exception):
    """The file could be opened and this page of it could not be drawn; nothing is known of those that follow."""

    def __init__(self, error: Error, *, page: int, total: int) -> None:
        super().__init__(f"page {page}: {error.code}")
        self.error = error
        self.page = page
        self.total = total


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the child is to do. `form` is the Pillow format of a picture, or PDF, or PLAIN for text."""

    form: str
    dpi: int
    encoding: Encoding
    limits: RenderLimits
    first_page: int = 1
    thumbnails: bool = False

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = json.loads(text)
        return cls(**{**found, "limits": RenderLimits(**found["limits"])})


def fitting_scale(width: float, height: float, *, megapixels: int) -> float:
    """1, or less where the page would have too many pixels or a side too long."""
    return min(1.0, math.sqrt(megapixels * 1e6 / (width * height)), MAX_SIDE_PX / max(width, height))


def write_frame(out: IO[bytes], header: dict[str, Any], image: bytes = b"", thumbnail: bytes = b"") -> None:
    encoded = json.dumps(header).encode()
    out.write(_SIZES.pack(len(encoded), len(image), len(thumbnail)) + encoded)
    out.write(image)
    out.write(thumbnail)
    out.flush()


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes, bytes]:
    """A frame by `read`, which gives exactly as many bytes as asked; ValueError where it is none of ours."""
    header_size, *sizes = _SIZES.unpack(read(_SIZES.size))
    if header_size > _MAX_HEADER or max(sizes) > _MAX_IMAGE:
        raise ValueError("a frame is too large")
    header = json.loads(read(header_size))
    if not isinstance(header, dict):
        raise ValueError("a frame has no header")
    image, thumbnail = (read(size) for size in sizes)
    return header, image, thumbnail


def write_page(out: IO[bytes], page: RenderedPage) -> None:
    header = {name: getattr(page, name) for name in ("number", "total", "content_type", "width", "height", "text")}
    write_frame(out, {"page": header, "words": page.words}, page.image, page.thumbnail)


def page_of(header: dict[str, Any], image: bytes, thumbnail: bytes) -> RenderedPage:
    """The page in a frame; ValueError, KeyError or TypeError where it is none."""
    words = tuple(map(Word._make, header["words"]))
    return RenderedPage(**header["page"], words=words, image=image, thumbnail=thumbnail)
