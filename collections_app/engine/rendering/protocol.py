"""Input and output of rendering, and the frames in which they pass from the child process to its parent."""

import json
import math
import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any, Literal, Protocol, Self, TypeAlias

import orjson
from PIL.Image import Image

from embeddings.word import Word
from paliapi.errors import Error

Encoding: TypeAlias = Literal["png", "jpeg", "webp"]

MAX_SIDE_PX = 16_000  # the limit of WebP is 16,383
_SIZES = struct.Struct(">III")
_MAX_HEADER_BYTES = 32 * 1024 * 1024
_MAX_IMAGE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """The resources that one document may use, and the conditions under which its file may be opened."""

    max_pages: int = 1000
    megapixels: int = 25  # larger pages are scaled down to this
    source_megapixels: int = 100  # larger images are refused
    memory_mb: int = 1536
    # Seconds spent waiting for the child. Time in which enough pages are ready does not count.
    page_s: int = 60  # until the next page is ready
    total_s: int = 1800  # for all pages together
    sandbox_required: bool = False  # refuse to render unless every wall stands


@dataclass(frozen=True, slots=True)
class RasterPage:
    """A page in the child, before it is encoded."""

    image: Image
    text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage:
    """A page as an encoded image with a thumbnail; `text` and `words` are empty if the file has no text layer."""

    number: int
    total: int
    image: bytes
    content_type: str
    width: int
    height: int
    thumbnail: bytes = b""
    text: str = ""
    words: tuple[Word, ...] = ()


class PageNotRendered(Exception):
    """One page could not be rendered although the file could be opened. Later pages are unknown."""

    def __init__(self, error: Error, *, page: int, total: int) -> None:
        super().__init__(f"page {page}: {error.code}")
        self.error = error
        self.page = page
        self.total = total


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the child should do. `renderer` is the name of a module that implements `Renderer`."""

    renderer: str
    dpi: int
    encoding: Encoding
    limits: RenderLimits
    first_page: int = 1
    thumbnails: bool = False
    # Images only, as in `formats.base.Format`.
    pillow_format: str = ""
    multi_page: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        return cls(**{**fields, "limits": RenderLimits(**fields["limits"])})


class Renderer(Protocol):
    """A module that renders one kind of file. It is imported in the child process only."""

    def render_pages(self, content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
        """Return the number of pages in the file, and the pages from `job.first_page` on."""
        ...


def fitting_scale(width: float, height: float, *, megapixels: int) -> float:
    """Return 1, or less if the page would have too many pixels or too long a side."""
    return min(1.0, math.sqrt(megapixels * 1e6 / (width * height)), MAX_SIDE_PX / max(width, height))


def write_frame(out: IO[bytes], header: dict[str, Any], image: bytes = b"", thumbnail: bytes = b"") -> None:
    encoded = _encode(header)
    out.write(_SIZES.pack(len(encoded), len(image), len(thumbnail)) + encoded)
    out.write(image)
    out.write(thumbnail)
    out.flush()


def _encode(header: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(header, default=list)  # words are named tuples
    except orjson.JSONEncodeError:
        # The text has half of a surrogate pair.
        return json.dumps(header, ensure_ascii=False).encode(errors="replace")


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes, bytes]:
    """Read a frame with `read`, which returns exactly as many bytes as requested; raise ValueError if it is invalid."""
    header_size, *sizes = _SIZES.unpack(read(_SIZES.size))
    if header_size > _MAX_HEADER_BYTES or max(sizes) > _MAX_IMAGE_BYTES:
        raise ValueError("a frame is too large")
    header = orjson.loads(read(header_size))
    if not isinstance(header, dict):
        raise ValueError("a frame has no header")
    image, thumbnail = (read(size) for size in sizes)
    return header, image, thumbnail


def write_page(out: IO[bytes], page: RenderedPage) -> None:
    header = {name: getattr(page, name) for name in ("number", "total", "content_type", "width", "height", "text")}
    write_frame(out, {"page": header, "words": page.words}, page.image, page.thumbnail)


def parse_page(header: dict[str, Any], image: bytes, thumbnail: bytes) -> RenderedPage:
    """Return the page in a frame; raise ValueError, KeyError or TypeError if there is none."""
    words = tuple(map(Word._make, header["words"]))
    return RenderedPage(**header["page"], words=words, image=image, thumbnail=thumbnail)
