"""Regions of a page that match, as frames on its image."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

_COLOUR = (230, 80, 0)


def framed(image: Image.Image, boxes: Sequence[Sequence[float]]) -> Image.Image:
    """Return a copy of the image with boxes (left, top, right, bottom from 0 to 1) framed."""
    copy = image.copy()
    draw = ImageDraw.Draw(copy)
    width = max(1, round(min(image.size) / 200))
    for box in boxes:
        left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in box)
        if left < right and top < bottom:
            edges = (left * image.width, top * image.height, right * image.width - 1, bottom * image.height - 1)
            if edges[0] < edges[2] and edges[1] < edges[3]:
                draw.rectangle(edges, outline=_COLOUR, width=width)
    return copy
