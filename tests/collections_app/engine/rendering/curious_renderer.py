"""A renderer that reports which descriptors it has besides its file, its pipe and its error output."""

import json
import mmap
import os
from collections.abc import Iterator

from PIL import Image

from collections_app.engine.rendering.protocol import Job, RasterPage


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    own = {_identity(descriptor) for descriptor in range(3)}
    others = [descriptor for descriptor in range(64) if _identity(descriptor) not in {None, *own}]
    return 1, iter([RasterPage(Image.new("RGB", (8, 8)), json.dumps(others))])


def _identity(descriptor: int) -> tuple[int, int] | None:
    """Return what a descriptor refers to; the file has a second one while it is mapped."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
