"""The verb that turns a file into page images without keeping anything."""

from contextlib import closing
from typing import IO

from django.conf import settings

from collections_app.engine.rendering.protocol import PageNotDrawn, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.errors import AnswerTooLarge
from collections_app.ingest import render_limits
from paliapi.units import MEBIBYTE


def to_images(file: IO[bytes]) -> list[RenderedPage]:
    """Every page as PNG; AnswerTooLarge, early, when one answer could not carry them."""
    env = settings.ENV
    # Somebody waits for the answer.
    limits = render_limits.limits(most_s=env.render_timeout_s)
    pages: list[RenderedPage] = []
    size = 0
    try:
        with closing(render(file, limits=limits, by=render_limits.conversion())) as rendered:
            for page in rendered:
                size += len(page.image)
                if size > env.max_expanded_mb * MEBIBYTE:
                    raise AnswerTooLarge("The pages are too many or too large for one answer.")
                pages.append(page)
    except PageNotDrawn as failed:
        raise failed.error from failed
    return pages
