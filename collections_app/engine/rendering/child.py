"""The process that opens one stranger's file: `python -m collections_app.engine.rendering.child JOB`.

The file is its standard input, frames with pages are its standard output. It may be killed at any moment,
and a file may make it crash; nobody else is hurt.
"""

import io
import mmap
import os
import sys
from types import ModuleType
from typing import IO

from PIL.Image import Image, Resampling

from collections_app.engine.rendering import draw_image, draw_pdf, draw_text
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooMuchMemory
from collections_app.engine.rendering.protocol import Encoding, Job, RenderedPage, write_frame, write_page
from collections_app.engine.rendering.sandbox import confine
from paliapi.errors import Error

_OPTIONS: dict[Encoding, dict[str, int]] = {
    "png": {"compress_level": 4},
    "jpeg": {"quality": 90},
    "webp": {"quality": 85, "method": 4},
}
_ROOMS: dict[str, ModuleType] = {"PDF": draw_pdf, "PLAIN": draw_text}
_THUMBNAIL_PX = (256, 768)  # width, and height for strips


def main(job: Job, out: IO[bytes]) -> None:
    confine(memory_mb=job.limits.memory_mb, cpu_s=job.limits.total_s)
    try:
        _draw(job, out)
        write_frame(out, {"end": True})
    except Error as refused:
        write_frame(out, {"error": refused.code, "detail": refused.detail})
    except MemoryError:
        write_frame(out, {"error": RenderTookTooMuchMemory.code, "detail": ""})
    except OSError:
        # The parent has lost interest.
        return
    except Exception as error:
        write_frame(out, {"error": RenderCrashed.code, "detail": "", "cause": f"{type(error).__name__}: {error}"[:500]})


def _draw(job: Job, out: IO[bytes]) -> None:
    # Copied on write, because a PDF is handed to PDFium as memory that Python calls writable.
    content = mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_COPY)
    draw_image.forbid_bombs(megapixels=job.limits.source_megapixels)
    total, drawn = _ROOMS.get(job.form, draw_image).count_and_draw(content, job)
    write_frame(out, {"total": total})
    for number, page in enumerate(drawn, start=job.first_page):
        rendered = RenderedPage(
            number=number,
            total=total,
            image=_encoded(page.image, job.encoding),
            thumbnail=_thumbnail(page.image) if job.thumbnails else b"",
            content_type=f"image/{job.encoding}",
            width=page.image.width,
            height=page.image.height,
            text=page.text,
            words=page.words,
        )
        write_page(out, rendered)


def _encoded(image: Image, encoding: Encoding) -> bytes:
    out = io.BytesIO()
    # JPEG takes four bytes for each pixel as they are; others would keep the fourth.
    fitting = image if encoding == "jpeg" else image.convert("RGB")
    fitting.save(out, encoding, **_OPTIONS[encoding])
    return out.getvalue()


def _thumbnail(image: Image) -> bytes:
    """As JPEG, whose encoder takes a tenth of the time of WebP's for a fifth more bytes."""
    scale = min(1.0, *(most / side for most, side in zip(_THUMBNAIL_PX, image.size, strict=True)))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    out = io.BytesIO()
    # First by a whole number, which costs least; then what is left.
    image.resize(size, Resampling.BILINEAR, reducing_gap=1.0).save(out, "jpeg", quality=75)
    return out.getvalue()


if __name__ == "__main__":
    main(Job.from_text(sys.argv[1]), sys.stdout.buffer)
    # Without the farewells of libraries that a file may have left in any state.
    os._exit(0)
