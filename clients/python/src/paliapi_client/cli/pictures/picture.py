"""A page image, decoded and scaled for a terminal. What is drawn is always encoded again from its pixels."""

import io
from dataclasses import dataclass

from PIL import Image

_FORMATS = ("JPEG", "PNG", "WEBP")
_MAX_PIXELS = 100_000_000
# Of a terminal that does not report the size of its cells.
DEFAULT_CELL = (8, 16)


class NotAPicture(Exception):
    """The bytes are not an image of a known format, or it is too large."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, and how many columns and rows of the terminal it covers."""

    image: Image.Image
    columns: int
    rows: int

    def with_image(self, image: Image.Image) -> "Picture":
        """Return the picture with another image of the same size."""
        return Picture(image, self.columns, self.rows)

    def png(self) -> bytes:
        file = io.BytesIO()
        self.image.save(file, "PNG", compress_level=1)
        return file.getvalue()


def picture(content: bytes, *, columns: int, rows: int, cell: tuple[int, int] = DEFAULT_CELL) -> Picture:
    """Decode an image and scale it to fit into columns and rows of cells, in pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise NotAPicture("The image is too large.")
            width, height = _fitted(opened.size, (columns * cell[0], rows * cell[1]))
            opened.draft("RGB", (width, height))  # the JPEG decoder then produces a smaller image
            image = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    except NotAPicture:
        raise
    except Exception as error:  # decoders raise anything for damaged files
        raise NotAPicture("The image cannot be decoded.") from error
    return Picture(image, _ceiling(width, cell[0]), _ceiling(height, cell[1]))


def _fitted(size: tuple[int, int], bounds: tuple[int, int]) -> tuple[int, int]:
    factor = min(bounds[0] / size[0], bounds[1] / size[1])
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))


def _ceiling(pixels: int, cell: int) -> int:
    return max(1, -(-pixels // cell))
