"""Pictures as pages: upright, eight bits, on white, no larger than a page may be. Runs in the child process only."""

import math
import mmap
import warnings
from collections.abc import Iterator
from typing import IO, cast

from PIL import ExifTags, Image

from collections_app.engine.rendering.errors import FileDamaged, PageTooLarge, TooManyPages
from collections_app.engine.rendering.protocol import DrawnPage, Job, fitting_scale

_PAGED = ("TIFF", "GIF")  # other formats show one picture, whatever else they carry
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def forbid_bombs(*, megapixels: int) -> None:
    """For the whole process: no picture larger than this is opened."""
    Image.MAX_IMAGE_PIXELS = megapixels * 1_000_000
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def count_and_draw(content: mmap.mmap, job: Job) -> tuple[int, Iterator[DrawnPage]]:
    """How many frames there are, and the frames from the first that is wanted."""
    try:
        picture = Image.open(cast(IO[bytes], content), formats=[job.form])
        total = getattr(picture, "n_frames", 1) if job.form in _PAGED else 1
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(1, job) from error
    except MemoryError:
        raise
    except Exception as error:
        # Hostile headers make readers raise almost anything.
        raise FileDamaged from error
    if total > job.limits.max_pages:
        raise TooManyPages(f"The file has {total:,} pages; at most {job.limits.max_pages:,} are accepted.")
    return total, (_drawn(picture, number, job) for number in range(job.first_page, total + 1))


def _drawn(picture: Image.Image, number: int, job: Job) -> DrawnPage:
    try:
        if number > 1:
            picture.seek(number - 1)
        if picture.width * picture.height > job.limits.source_megapixels * 1_000_000:
            raise _too_large(number, job)
        return DrawnPage(_as_page(picture, megapixels=job.limits.megapixels))
    except (PageTooLarge, MemoryError):
        raise
    except Exception as error:
        raise FileDamaged(f"Page {number} of the file is damaged.") from error


def _as_page(picture: Image.Image, *, megapixels: int) -> Image.Image:
    scale = fitting_scale(picture.width, picture.height, megapixels=megapixels)
    size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    if scale < 1:
        picture.draft(None, size)  # a JPEG then comes smaller out of its decoder
    picture.load()
    turn = _TURNS.get(_orientation(picture))
    page = _eight_bits(picture)
    # Small first, then turned and put on white: each takes the memory of the picture again.
    if page.width > size[0] or page.height > size[1]:
        page = page.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _on_white(page.transpose(turn) if turn is not None else page)


def _orientation(picture: Image.Image) -> object:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # A camera's broken notes do not spoil its picture.
        return None


def _eight_bits(picture: Image.Image) -> Image.Image:
    """As L, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("I", "F"):
        return _stretched(picture)
    if "transparency" in picture.info or picture.mode in ("LA", "PA", "La", "RGBa"):
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "RGBA", "CMYK") else picture.convert("RGB")


def _stretched(picture: Image.Image) -> Image.Image:
    """Values of no fixed range, from the smallest (black) to the largest (white)."""
    low, high = (float(cast(float, bound)) for bound in picture.getextrema())
    if not math.isfinite(low) or not math.isfinite(high):
        raise FileDamaged
    scale = 255 / (high - low) if high > low else 0.0
    return picture.convert("F").point(lambda value: value * scale + (-low * scale)).convert("L")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture, mask=picture.getchannel("A"))
    return page


def _too_large(number: int, job: Job) -> PageTooLarge:
    return PageTooLarge(f"Page {number} has more than {job.limits.source_megapixels} megapixels.")
