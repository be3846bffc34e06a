"""Renders images: upright, eight bits per channel, on white, within the page limit. Runs in the child process only."""

import math
import mmap
from collections.abc import Iterator
from typing import IO, cast

from PIL import ExifTags, Image

from collections_app.engine.rendering.errors import FileDamaged, PageTooLarge, TooManyPages
from collections_app.engine.rendering.protocol import Job, RasterPage, fitting_scale

_TRANSPOSITIONS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    """Return the number of frames, and the frames from `job.first_page` on."""
    try:
        image = Image.open(cast(IO[bytes], content), formats=[job.pillow_format])
        total = getattr(image, "n_frames", 1) if job.multi_page else 1
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(1, job) from error
    except MemoryError:
        raise
    except Exception as error:
        # Malicious headers make plugins raise almost anything.
        raise FileDamaged from error
    if total > job.limits.max_pages:
        raise TooManyPages(f"The file has {total:,} pages; at most {job.limits.max_pages:,} are accepted.")
    return total, (_render_frame(image, number, job) for number in range(job.first_page, total + 1))


def _render_frame(image: Image.Image, number: int, job: Job) -> RasterPage:
    try:
        if number > 1:
            image.seek(number - 1)
        if image.width * image.height > job.limits.source_megapixels * 1_000_000:
            raise _too_large(number, job)
        return RasterPage(_as_page(image, megapixels=job.limits.megapixels))
    except (PageTooLarge, MemoryError):
        raise
    except Exception as error:
        raise FileDamaged(f"Page {number} of the file is damaged.") from error


def _as_page(image: Image.Image, *, megapixels: int) -> Image.Image:
    scale = fitting_scale(image.width, image.height, megapixels=megapixels)
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    if scale < 1:
        image.draft(None, size)  # the JPEG decoder then produces a smaller image
    image.load()
    transposition = _TRANSPOSITIONS.get(_orientation(image))
    page = _to_eight_bits(image)
    # Shrink before transposing and flattening, because each of these copies the image.
    if page.width > size[0] or page.height > size[1]:
        # A file of a few kilobytes can have 100 megapixels, and a better filter takes twice as long.
        page = page.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    flat = _flatten(page.transpose(transposition) if transposition is not None else page)
    # The encoders would copy comments and colour profiles of the file, unchecked.
    flat.info.clear()
    return flat


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # Damaged EXIF data must not make the image unusable.
        return None


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert to L, RGB, RGBA or CMYK."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        return _stretch(image)
    if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Map values without a fixed range to greys, from the smallest (black) to the largest (white)."""
    low, high = (float(cast(float, bound)) for bound in image.getextrema())
    if not math.isfinite(low) or not math.isfinite(high):
        raise FileDamaged
    scale = 255 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * scale + (-low * scale)).convert("L")


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _too_large(number: int, job: Job) -> PageTooLarge:
    return PageTooLarge(f"Page {number} has more than {job.limits.source_megapixels} megapixels.")
