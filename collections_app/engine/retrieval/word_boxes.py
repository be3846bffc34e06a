"""The words of a page with their places, as they are kept: compressed, and exact to a ten-thousandth of the page."""

import zlib
from collections.abc import Iterable
from typing import Any

import orjson

from collections_app.engine.retrieval.boxes import Box
from collections_app.engine.text_rules import FORBIDDEN_IN_WORDS
from embeddings.contract import Layout, Word

_STEPS = 10_000
_LONGEST = 200


def encode(words: Iterable[Word]) -> bytes:
    rows = [
        (text, round(x0 * _STEPS), round(y0 * _STEPS), round(x1 * _STEPS), round(y1 * _STEPS))
        for text, x0, y0, x1, y1 in words
    ]
    return zlib.compress(orjson.dumps(rows), 1)


def decode(kept: bytes) -> list[Word]:
    return [Word(text, *(edge / _STEPS for edge in edges)) for text, *edges in orjson.loads(zlib.decompress(kept))]


def of_layout(layout: Any) -> list[Word]:
    """The words that came with a layout: those that a service has read itself, as far as they can be kept."""
    found = layout.get("words", ()) if isinstance(layout, dict) else ()
    cleaned = [Word(FORBIDDEN_IN_WORDS.sub("", text)[:_LONGEST], *edges) for text, *edges in found]
    return [word for word in cleaned if word.text.strip()]


def without_words(layout: Layout | None) -> Layout | None:
    """The layout as it is kept with the vectors."""
    if layout is None or "words" not in layout:
        return layout
    bare = layout.copy()
    del bare["words"]
    return bare


def inside(words: Iterable[Word], box: Box) -> list[str]:
    """The words whose middle lies in the box, in their order."""
    left, top, right, bottom = box
    return [
        word.text
        for word in words
        if left <= (word.x0 + word.x1) / 2 <= right and top <= (word.y0 + word.y1) / 2 <= bottom
    ]
