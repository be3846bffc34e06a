"""The words of a page with their boxes, as they are stored: compressed, exact to 1/10,000 of the page."""

import zlib
from collections.abc import Iterable
from typing import Any

import orjson

from collections_app.engine.retrieval.boxes import Box
from collections_app.engine.text_rules import FORBIDDEN_IN_WORDS
from embeddings.contract import Layout, Word

_STEPS = 10_000
_MAX_LENGTH = 200


def encode(words: Iterable[Word]) -> bytes:
    rows = [
        (text, round(x0 * _STEPS), round(y0 * _STEPS), round(x1 * _STEPS), round(y1 * _STEPS))
        for text, x0, y0, x1, y1 in words
    ]
    return zlib.compress(orjson.dumps(rows), 1)


def decode(data: bytes) -> list[Word]:
    return [Word(text, *(edge / _STEPS for edge in edges)) for text, *edges in orjson.loads(zlib.decompress(data))]


def words_of(layout: Any) -> list[Word]:
    """Return the words that the embeddings service read and sent with a layout, without what cannot be stored."""
    words = layout.get("words", ()) if isinstance(layout, dict) else ()
    cleaned = [Word(FORBIDDEN_IN_WORDS.sub("", text)[:_MAX_LENGTH], *edges) for text, *edges in words]
    return [word for word in cleaned if word.text.strip()]


def without_words(layout: Layout | None) -> Layout | None:
    """Return the layout as it is stored with the vectors."""
    if layout is None or not ("words" in layout or "unread_script" in layout):
        return layout
    bare = layout.copy()
    bare.pop("words", None)
    bare.pop("unread_script", None)
    return bare


def words_inside(words: Iterable[Word], box: Box) -> list[str]:
    """Return the words whose centre is inside the box, in their order."""
    left, top, right, bottom = box
    return [
        word.text
        for word in words
        if left <= (word.x0 + word.x1) / 2 <= right and top <= (word.y0 + word.y1) / 2 <= bottom
    ]
