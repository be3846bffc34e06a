"""A model is used only after it has found a page that even a poor one finds.

This catches what no shape shows: weights that were not loaded, a wrong prompt, padding on the wrong side.
"""

import numpy as np
from PIL import Image, ImageDraw

from embeddings.backends.base import Backend, Item
from embeddings.contract import MultiVector, Word
from embeddings.scoring import maxsim

_QUERY = "When must the invoice be paid?"
_PAGES = (
    ("Invoice", "The invoice must be paid", "within thirty days."),
    ("Penguins", "Emperor penguins breed", "on the ice of Antarctica."),
)
_SIZE = (660, 330)
_LEFT, _TOP, _LINE = 60, 60, 70


class CanaryDied(Exception):
    """The model runs but does not find the page."""


def prove(backend: Backend) -> None:
    """Raise CanaryDied unless the page about invoices wins for the question about invoices."""
    with_words = not backend.info.reads_pixels
    items = [Item("query", text=_QUERY), *(_page(lines, with_words=with_words) for lines in _PAGES)]
    query, *pages = _embedded(backend, items)
    norms = np.concatenate([np.linalg.norm(one.vectors.astype(np.float32), axis=1) for one in (query, *pages)])
    if not np.allclose(norms, 1, atol=0.02):
        raise CanaryDied(f"Vectors have lengths from {norms.min():.3f} to {norms.max():.3f} instead of 1.")
    right, wrong = (maxsim(query.vectors, page.vectors) for page in pages)
    if not right > wrong:
        raise CanaryDied(f"The right page scores {right:.3f}, the wrong one {wrong:.3f}: these weights cannot search.")


def _embedded(backend: Backend, items: list[Item]) -> list[MultiVector]:
    return [backend.encode(backend.collate([backend.prepare(item)]))[0] for item in items]


def _page(lines: tuple[str, ...], *, with_words: bool) -> Item:
    """A page with these lines, as pixels and, for backends that cannot read them, as words."""
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    words = []
    for number, line in enumerate(lines):
        top = _TOP + _LINE * number
        draw.text((_LEFT, top), line, fill="black", font_size=36)
        words += [Word(word, 0.1, top / _SIZE[1], 0.9, (top + _LINE) / _SIZE[1]) for word in line.split()]
    return Item("document", image=image, words=tuple(words) if with_words else None)
