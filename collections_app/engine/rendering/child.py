"""What happens in the process that opens one untrusted file.

It reads the file from standard input and writes frames with pages to standard output. It may be killed at any moment,
and a file may crash it, without effect on other documents.
"""

import io
import math
import mmap
import sys
import warnings
from importlib import import_module
from typing import IO, cast

from PIL import Image

from collections_app.engine.rendering import confinement
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooMuchMemory, RenderUnavailable
from collections_app.engine.rendering.formats.base import IMAGE_RENDERER, PDF_RENDERER, TEXT_RENDERER
from collections_app.engine.rendering.protocol import (
    Encoding,
    Job,
    RasterPage,
    RenderedPage,
    Renderer,
    write_frame,
    write_page,
)
from paliapi.errors import Error

_SAVE_OPTIONS: dict[Encoding, dict[str, int]] = {
    "png": {"compress_level": 4},
    "jpeg": {"quality": 90},
    "webp": {"quality": 85, "method": 4},
}
# With the usual effort, WebP takes seconds for a larger page; less effort saves a third of them for a tenth more bytes.
_LARGE_PAGE_PX = 8_000_000
_LARGE_WEBP_METHOD = 2
_THUMBNAIL_PX = (256, 768)  # width, and height for tall pages
_LEAST_DIVISOR = 4  # with a smaller one, a thumbnail might be much smaller than it could be
# Pillow and Python import these on first use, when the process can no longer read them.
_USED_LATER = (
    *("encodings.ascii", "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_le", "encodings.utf_8_sig"),
    *("PIL.ImageCms", "PIL.ImageColor", "PIL.ImageFile", "PIL.ImagePalette"),
)


def import_everything() -> None:
    """Import all that any file may need. Processes forked after that do not have to."""
    for name in (PDF_RENDERER, IMAGE_RENDERER, TEXT_RENDERER, *_USED_LATER):
        import_module(name)
    Image.init()


def main(job: Job, out: IO[bytes], *, network_left: bool) -> None:
    renderer = cast(Renderer, import_module(job.renderer))
    walls = confinement.confine_renderer(
        memory_mb=job.limits.memory_mb, cpu_s=job.limits.total_s, network_left=network_left
    )
    if job.limits.sandbox_required and (missing := walls.missing()):
        write_frame(out, {"error": RenderUnavailable.code, "cause": f"walls are missing: {', '.join(missing)}"})
        return
    try:
        _render(renderer, job, out)
        write_frame(out, {"end": True})
    except Error as error:
        write_frame(out, {"error": error.code, "detail": error.detail})
    except MemoryError:
        write_frame(out, {"error": RenderTookTooMuchMemory.code, "detail": ""})
    except OSError:
        # The parent has closed the pipe.
        return
    except Exception as error:
        write_frame(out, {"error": RenderCrashed.code, "detail": "", "cause": f"{type(error).__name__}: {error}"[:500]})


def _render(renderer: Renderer, job: Job, out: IO[bytes]) -> None:
    # Copy on write, because PDFium is given the memory through an API that requires it to be writable.
    content = mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_COPY)
    _forbid_bombs(megapixels=job.limits.source_megapixels)
    total, pages = renderer.render_pages(content, job)
    write_frame(out, {"total": total})
    for number, page in enumerate(pages, start=job.first_page):
        write_page(out, encode_page(page, number=number, total=total, job=job))


def encode_page(page: RasterPage, *, number: int, total: int, job: Job) -> RenderedPage:
    """Return the page as an image file, with a thumbnail if the job asks for one."""
    return RenderedPage(
        number=number,
        total=total,
        image=_encode(page.image, job.encoding),
        thumbnail=_thumbnail(page.image) if job.thumbnails else b"",
        content_type=f"image/{job.encoding}",
        width=page.image.width,
        height=page.image.height,
        text=page.text,
        words=page.words,
    )


def _forbid_bombs(*, megapixels: int) -> None:
    """Make Pillow refuse larger images, in the whole process."""
    Image.MAX_IMAGE_PIXELS = megapixels * 1_000_000
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _encode(image: Image.Image, encoding: Encoding) -> bytes:
    out = io.BytesIO()
    # The JPEG encoder accepts four bytes per pixel; the others would store the fourth.
    image = image if encoding == "jpeg" else image.convert("RGB")
    options = dict(_SAVE_OPTIONS[encoding])
    if encoding == "webp" and image.width * image.height > _LARGE_PAGE_PX:
        options["method"] = _LARGE_WEBP_METHOD
    image.save(out, encoding, **options)
    return out.getvalue()


def _thumbnail(image: Image.Image) -> bytes:
    """Return a small JPEG. WebP would take ten times as long to encode and save a fifth of the size."""
    out = io.BytesIO()
    _shrink(image).save(out, "jpeg", quality=75)
    return out.getvalue()


def _shrink(image: Image.Image) -> Image.Image:
    """Return the image in the size of a thumbnail, or a little smaller: dividing by an integer is the cheapest."""
    reduction = max(1.0, *(side / limit for limit, side in zip(_THUMBNAIL_PX, image.size, strict=True)))
    if reduction >= _LEAST_DIVISOR:
        return image.reduce(math.ceil(reduction))
    size = (max(1, round(image.width / reduction)), max(1, round(image.height / reduction)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
