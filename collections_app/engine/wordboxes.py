"""The words of a page with their places, as they are kept: compressed, and exact to a ten-thousandth of the page."""

import json
import zlib
from collections.abc import Iterable

from collections_app.engine.boxes import Box
from collections_app.engine.pages import Word

_STEPS = 10_000


def encode(words: Iterable[Word]) -> bytes:
    rows = [
        [word.text, *(round(edge * _STEPS) for edge in (word.left, word.top, word.right, word.bottom))]
        for word in words
    ]
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def decode(kept: bytes) -> list[Word]:
    return [
        Word(text, *(edge / _STEPS for edge in edges)) for text, *edges in json.loads(zlib.decompress(kept).decode())
    ]


def inside(words: Iterable[Word], box: Box) -> list[str]:
    """The words whose middle lies in the box, in their order."""
    left, top, right, bottom = box
    return [
        word.text
        for word in words
        if left <= (word.left + word.right) / 2 <= right and top <= (word.top + word.bottom) / 2 <= bottom
    ]
