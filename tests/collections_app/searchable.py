"""Documents whose pages can be found: with vectors that a test chooses, or such as the small encoder makes."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.models import Page, PageEmbedding, Space
from collections_app.search.context import SearchContext
from collections_app.search.scope import Scope
from collections_app.storage import vectors
from collections_app.storage.vectors import PageVectors
from embeddings import contract
from embeddings.backends.base import Item
from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import Layout, Word
from tests.cast import Someone
from tests.collections_app.documents import PNG, shown_with_pages

Halves: TypeAlias = NDArray[np.float16]

TOY = contract.VectorSpace("made for searching", "1", 8)


def caller_of(who: Someone, *, collections: frozenset[str] | None = None) -> Caller:
    """Who calls, as verbs know them."""
    return Caller(
        owner_id=who.id, email=who.user.email, key_id=1, scopes=frozenset({"search"}), collections=collections
    )


def search_context(tx: OwnerTransaction, who: Someone, scope: Scope | None = None) -> SearchContext:
    """Return the context of a search without a deadline, by default over everything."""
    return SearchContext(tx=tx, caller=caller_of(who), scope=scope or Scope(), stopwatch=Stopwatch(), deadline=math.inf)


def random_vectors(seed: int, *, count: int, dim: int = TOY.dim) -> Halves:
    """Unit vectors in all directions."""
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float16)


def with_vectors(
    who: Someone,
    name: str,
    pages: Sequence[Halves | None],
    *,
    space: contract.VectorSpace = TOY,
    collection: str = "default_collection",
    metadata: Any = None,
    texts: Sequence[str] = (),
    layouts: Sequence[Layout | None] = (),
    image: bytes = PNG,
) -> list[int]:
    """The ids of the pages of a new document; None is a page without vectors."""
    document = shown_with_pages(who, name, pages=len(pages), collection=collection, metadata=metadata, image=image)
    with acting_for(who.id) as tx:
        mine = Page.objects.filter(owner_id=who.id, revision=document.latest)
        ids = list(mine.order_by("number").values_list("pk", flat=True))
        PageEmbedding.objects.filter(owner_id=who.id, page_id__in=ids).delete()
        row, _ = Space.objects.get_or_create(model=space.model, revision=space.revision, dim=space.dim)
        placed = layouts or [None] * len(pages)
        kept = [one for one in zip(ids, pages, placed, strict=True) if one[1] is not None]
        vectors.insert(
            tx,
            [
                PageVectors(page_id=pk, space_id=row.pk, vectors=rows, layout=layout)
                for pk, rows, layout in kept
                if rows is not None
            ],
        )
        for page_id, text in zip(ids, texts, strict=False):
            mine.filter(pk=page_id).update(text=text)
    return ids


def with_words(who: Someone, name: str, texts: Sequence[str], *, image: bytes = PNG, **how: Any) -> list[int]:
    """Pages that bear these words, as the small encoder of the tests' embeddings service sees them."""
    backend = LexicalBackend()
    picture = Image.open(BytesIO(image)).convert("RGB")
    pages = [
        Item(task="document", image=picture, words=tuple(Word(word, 0.1, 0.1, 0.9, 0.2) for word in text.split()))
        for text in texts
    ]
    made = backend.encode(backend.collate([backend.prepare(page) for page in pages]))
    return with_vectors(
        who,
        name,
        [one.vectors for one in made],
        layouts=[one.layout for one in made],
        space=backend.info.space,
        texts=texts,
        image=image,
        **how,
    )
