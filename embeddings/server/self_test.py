"""The self-test of a model: before it is used, it must find a page that any working model finds.

Detects faults that array shapes do not reveal: weights that were not loaded, a wrong prompt, padding on the wrong side.
"""

import numpy as np
from PIL import Image, ImageDraw

from embeddings.backends.base import Backend, Item, Reranker
from embeddings.contract import MultiVector, Word
from embeddings.scoring import maxsim

_QUERY = "When must the invoice be paid?"
_PAGES = (
    ("Invoice", "The invoice must be paid", "within thirty days."),
    ("Penguins", "Emperor penguins breed", "on the ice of Antarctica."),
)
_SIZE = (660, 330)
_LEFT, _TOP, _LINE_HEIGHT = 60, 60, 70


class SelfTestFailed(Exception):
    """The model runs but does not find the page."""


def run(backend: Backend) -> None:
    """Raise SelfTestFailed unless vectors have unit length and the query about invoices finds the page about them."""
    with_words = not backend.info.reads_pixels
    items = [Item("query", text=_QUERY), *(_page(lines, with_words=with_words) for lines in _PAGES)]
    query, *pages = (_embed(backend, item) for item in items)
    norms = np.concatenate(
        [np.linalg.norm(embedded.vectors.astype(np.float32), axis=1) for embedded in (query, *pages)]
    )
    if not np.allclose(norms, 1, atol=0.02):
        raise SelfTestFailed(f"Vectors have lengths from {norms.min():.3f} to {norms.max():.3f} instead of 1.")
    right, wrong = (maxsim(query.vectors, page.vectors) for page in pages)
    if not right > wrong:
        raise SelfTestFailed(
            f"The right page scores {right:.3f}, the wrong one {wrong:.3f}: these weights cannot search."
        )


def run_reranker(reranker: Reranker) -> None:
    """Raise SelfTestFailed unless the text about invoices scores higher for the query than the other one."""
    right, wrong = (_score(reranker, " ".join(lines)) for lines in _PAGES)
    if not right > wrong:
        raise SelfTestFailed(
            f"The right text scores {right:.3f}, the wrong one {wrong:.3f}: these weights cannot rank texts."
        )


def _score(reranker: Reranker, text: str) -> float:
    return float(reranker.encode(reranker.collate(reranker.split(_QUERY, text)[:1]))[0].vectors[0, 0])


def _embed(backend: Backend, item: Item) -> MultiVector:
    return backend.encode(backend.collate([backend.prepare(item)]))[0]


def _page(lines: tuple[str, ...], *, with_words: bool) -> Item:
    """Return a page with these lines, as pixels and, for backends that cannot read them, also as words."""
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    words = []
    for number, line in enumerate(lines):
        top = _TOP + _LINE_HEIGHT * number
        draw.text((_LEFT, top), line, fill="black", font_size=36)
        words += [Word(word, 0.1, top / _SIZE[1], 0.9, (top + _LINE_HEIGHT) / _SIZE[1]) for word in line.split()]
    return Item("document", image=image, words=tuple(words) if with_words else None)
