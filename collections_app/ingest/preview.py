"""Convert a file to page images without storing anything."""

from contextlib import closing
from typing import IO

from django.conf import settings

from collections_app.engine.rendering.protocol import PageNotRendered, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.errors import AnswerTooLarge
from collections_app.ingest import render_limits
from paliapi.units import MEBIBYTE


def to_images(file: IO[bytes]) -> list[RenderedPage]:
    """Render every page as PNG; raise AnswerTooLarge as soon as the pages exceed the size of one response."""
    env = settings.ENV
    # A client waits for the response, so the whole file gets the time of one page.
    limits = render_limits.limits(total_s=env.render_timeout_s)
    pages: list[RenderedPage] = []
    size = 0
    try:
        with closing(render(file, limits=limits, converter=render_limits.office_converter())) as rendered:
            for page in rendered:
                size += len(page.image)
                if size > env.max_expanded_mb * MEBIBYTE:
                    raise AnswerTooLarge("The file has too many or too large pages for one response.")
                pages.append(page)
    except PageNotRendered as failure:
        raise failure.error from failure
    return pages
