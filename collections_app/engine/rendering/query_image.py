"""Images that are queries: decoded in a confined process, like files of documents, and encoded again by that process.

Whatever handles the result sees only the output of our own encoder, and never bytes that a client has sent.
"""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import BoundedSemaphore

from collections_app.engine.rendering.errors import FileWithoutPages, RenderUnavailable, UnsupportedType
from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.formats.registry import ACCEPTED_IMAGES
from collections_app.engine.rendering.protocol import PageNotRendered, RenderLimits
from collections_app.engine.rendering.render import render

# Each process needs memory and a processor; others wait for their turn.
_MAX_PROCESSES = 4
_WAIT_S = 10.0
_slots = BoundedSemaphore(_MAX_PROCESSES)


def reencode(image: bytes, *, limits: RenderLimits) -> bytes:
    """Return the image, or the first of its frames, as a JPEG like those of documents' pages.

    Raise the errors that a document with this file would have.
    """
    _check_format(image, limits)
    with _slot(), closing(render(io.BytesIO(image), limits=limits, encoding="jpeg")) as pages:
        try:
            page = next(pages, None)
        except PageNotRendered as failure:
            raise failure.error from failure
    if page is None:
        raise FileWithoutPages
    return page.image


def _check_format(image: bytes, limits: RenderLimits) -> None:
    refusal = UnsupportedType(f"An image that is a query must be {ACCEPTED_IMAGES}.")
    try:
        format_ = sniff(io.BytesIO(image), max_pixels=limits.source_megapixels * 1_000_000)
    except UnsupportedType as error:
        raise refusal from error
    if not format_.pillow_format:
        raise refusal


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_WAIT_S):
        raise RenderUnavailable(retry_after_s=5)
    try:
        yield
    finally:
        _slots.release()
