"""Page images made small enough for an answer, whole or in part."""

import base64
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import anyio
import anyio.to_thread
from PIL import Image

# Larger images are scaled down by the hosts of most models anyway.
MAX_EDGE = 1568
MIN_EDGE = 200
_MAX_PIXELS = 100_000_000
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png"}
_QUALITIES = (85, 70, 50)

Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the page

_threads = anyio.CapacityLimiter(2)


class Unreadable(Exception):
    """What PaliAPI returned is not an image that can be shown."""


@dataclass(frozen=True, slots=True)
class Picture:
    data: str  # in base64
    mime_type: str


async def fit(content: bytes, *, max_kb: int, box: Box | None = None) -> Picture | None:
    """Return the image, or the part of it in the box, in at most so much base64; None if even a tiny one is larger."""
    return await anyio.to_thread.run_sync(_fit, content, max_kb * 1000, box, limiter=_threads)


def around(boxes: Sequence[Sequence[float]], *, margin: float = 0.03) -> Box | None:
    """Return the best box, extended by those that touch it, with a margin; None if there is none."""
    found: Box | None = None
    for values in boxes:
        box = _checked(values)
        if box is None:
            continue
        wide = (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
        if found is None:
            found = wide
        elif found[0] < wide[2] and wide[0] < found[2] and found[1] < wide[3] and wide[1] < found[3]:
            found = (min(found[0], wide[0]), min(found[1], wide[1]), max(found[2], wide[2]), max(found[3], wide[3]))
    return None if found is None else (max(found[0], 0), max(found[1], 0), min(found[2], 1), min(found[3], 1))


def _checked(values: Sequence[float]) -> Box | None:
    if len(values) != 4:
        return None
    left, top, right, bottom = values
    return (left, top, right, bottom) if 0 <= left < right <= 1 and 0 <= top < bottom <= 1 else None


def _fit(content: bytes, max_length: int, box: Box | None) -> Picture | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=tuple(_FORMATS))
            if image.width * image.height > _MAX_PIXELS:
                raise Unreadable
            kind = _FORMATS[str(image.format)]
            if box is None and max(image.size) <= MAX_EDGE and _length(content) <= max_length:
                image.verify()
                return Picture(base64.b64encode(content).decode("ascii"), kind)
            part = _opaque(image if box is None else image.crop(_pixels(box, image.size)))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError, Warning) as error:
        raise Unreadable from error
    for smaller in _smaller_and_smaller(part, max_length):
        return Picture(base64.b64encode(smaller).decode("ascii"), "image/jpeg")
    return None


def _smaller_and_smaller(image: Image.Image, max_length: int) -> Iterator[bytes]:
    """Yield encodings that are short enough, the best first."""
    edge = min(max(image.size), MAX_EDGE)
    while True:
        image.thumbnail((edge, edge))
        for quality in _QUALITIES:
            out = BytesIO()
            image.save(out, "JPEG", quality=quality)
            if _length(out.getbuffer()) <= max_length:
                yield out.getvalue()
        if edge <= MIN_EDGE:
            return
        edge = max(int(edge * 0.7), MIN_EDGE)


def _length(content: bytes | memoryview) -> int:
    """Return the length of the content in base64."""
    return (len(content) + 2) // 3 * 4


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top = int(box[0] * size[0]), int(box[1] * size[1])
    return left, top, max(round(box[2] * size[0]), left + 1), max(round(box[3] * size[1]), top + 1)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L"):
        image.load()
        return image
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper
