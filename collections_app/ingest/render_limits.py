"""The limits of this installation for rendering and conversion."""

import math

from django.conf import settings

from collections_app.engine.rendering.errors import RenderTookTooLong
from collections_app.engine.rendering.protocol import RenderLimits
from collections_app.engine.rendering.soffice import OfficeConverter


def limits(*, spent_s: float = 0.0, total_s: int | None = None) -> RenderLimits:
    """Return the limits for a document that took `spent_s` before, of `total_s`; RenderTookTooLong if it is used up."""
    env = settings.ENV
    left_s = (total_s or env.render_total_s) - spent_s
    if left_s <= 0:
        raise RenderTookTooLong
    return RenderLimits(
        max_pages=env.max_pages,
        megapixels=env.render_megapixels,
        memory_mb=env.render_memory_mb,
        page_s=env.render_timeout_s,
        total_s=math.ceil(left_s),
        sandbox_required=env.render_sandbox == "required",
    )


def office_converter() -> OfficeConverter:
    """Return the program that converts Office files, with its limits."""
    env = settings.ENV
    return OfficeConverter(
        program=env.soffice,
        timeout_s=env.convert_timeout_s,
        memory_mb=env.render_memory_mb,
        sandbox_required=env.render_sandbox == "required",
    )
