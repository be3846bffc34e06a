"""Hits as HTML for notebooks, with regions and a heat map. There is no script in it, and no text unescaped."""

from __future__ import annotations

import base64
import binascii
import html
import struct
import zlib
from collections.abc import Sequence

from paliapi_client.models.searching import HitFields, Regions

MAX_CELLS = 64
HEAT = bytes((255, 72, 0))
HEAT_ALPHA = 0.75
WIDTH_PX = 300
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png", b"RIFF": "image/webp", b"GIF8": "image/gif"}


def hit_html(hit: HitFields, image: bytes | None, *, width_px: int = 2 * WIDTH_PX) -> str:
    """Return a page with its regions outlined, and its heat map behind a summary that opens."""
    source = image_source(hit, image)
    picture = '<div style="padding:3em 1em;background:#eee;color:#555">No image</div>'
    if source:
        alt = html.escape(f"{hit.document_name}, page {hit.page_number}")
        picture = f'<img src="{html.escape(source)}" alt="{alt}" style="display:block;width:100%;margin:0">'
    regions = hit.regions
    heat = heat_map(regions) if regions is not None else None
    body = _page(picture + _boxes(regions))
    if heat is not None:
        layer = (
            f'<img src="data:image/png;base64,{base64.b64encode(heat).decode()}" alt="" '
            'style="position:absolute;left:0;top:0;width:100%;height:100%;margin:0">'
        )
        body += f"<details><summary>Heat map</summary>{_page(picture + layer)}</details>"
    return (
        f'<figure style="display:inline-block;vertical-align:top;width:{width_px}px;max-width:100%;margin:0 1em 1em 0">'
        f'{body}<figcaption style="font-size:90%">{_caption(hit)}</figcaption></figure>'
    )


def result_html(hits: Sequence[tuple[HitFields, bytes | None]], query: str) -> str:
    """Return the pages of a result beside each other."""
    title = f"<p>{len(hits)} pages for <em>{html.escape(query)}</em></p>" if query else ""
    return f"<div>{title}{''.join(hit_html(hit, image, width_px=WIDTH_PX) for hit, image in hits)}</div>"


def image_source(hit: HitFields, image: bytes | None) -> str:
    """Return where the image is: in the HTML itself, or at a link, which expires."""
    if image is None and hit.img_base64:
        try:
            image = base64.b64decode(hit.img_base64, validate=True)
        except (binascii.Error, ValueError):
            image = None
    kind = next((kind for start, kind in _TYPES.items() if image is not None and image.startswith(start)), None)
    if image is not None and kind is not None:
        return f"data:{kind};base64,{base64.b64encode(image).decode()}"
    return hit.image_url if hit.image_url and hit.image_url.startswith(("http://", "https://")) else ""


def heat_map(regions: Regions) -> bytes | None:
    """Return a PNG with a pixel for each cell, the more opaque the better any vector of the query matches there."""
    columns, rows = regions.n_x, regions.n_y
    if not (0 < columns <= MAX_CELLS and 0 < rows <= MAX_CELLS):
        return None
    cells = bytearray(columns * rows)
    for token in regions.tokens:
        try:
            values = base64.b64decode(token.map, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(values) == len(cells):
            cells = bytearray(map(max, cells, values))
    if not any(cells):
        return None
    lines = []
    for row in range(rows):
        line = cells[row * columns : (row + 1) * columns]
        lines.append(b"\0" + b"".join(HEAT + bytes((int(value * HEAT_ALPHA),)) for value in line))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _page(content: str) -> str:
    return f'<div style="position:relative;border:1px solid #ccc;overflow:hidden">{content}</div>'


def _boxes(regions: Regions | None) -> str:
    return "".join(
        f'<div title="{html.escape(region.text[:300])}" style="position:absolute;{_place(region.box)};'
        'border:2px solid #d9480f;background:rgba(217,72,15,.12);box-sizing:border-box"></div>'
        for region in (regions.boxes if regions is not None else [])
        if len(region.box) == 4
    )


def _place(box: Sequence[float]) -> str:
    left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) * 100 for edge in box)
    return f"left:{left:.2f}%;top:{top:.2f}%;width:{max(right - left, 0):.2f}%;height:{max(bottom - top, 0):.2f}%"


def _caption(hit: HitFields) -> str:
    score = "" if hit.normalized_score is None else f", score {hit.normalized_score:.3f}"
    return f"<strong>{html.escape(hit.document_name)}</strong>, page {hit.page_number}{score}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
