"""Searchable documents: with vectors that a test chooses, or with those of the small encoder."""

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
    """Return the caller of a search with a key of this owner."""
    return Caller(
        owner_id=who.id, email=who.user.email, key_id=1, scopes=frozenset({"search"}), collections=collections
    )


def search_context(tx: OwnerTransaction, who: Someone, scope: Scope | None = None) -> SearchContext:
    """Return the context of a search without a deadline, by default over everything."""
    return SearchContext(tx=tx, caller=caller_of(who), scope=scope or Scope(), stopwatch=Stopwatch(), deadline=math.inf)


def random_vectors(seed: int, *, count: int, dim: int = TOY.dim) -> Halves:
    """Return unit vectors in random directions."""
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
    """Store a new document with these vectors, and return its page ids. None is a page without vectors."""
    document = shown_with_pages(who, name, pages=len(pages), collection=collection, metadata=metadata, image=image)
    with acting_for(who.id) as tx:
        rows = Page.objects.filter(owner_id=who.id, revision=document.latest)
        page_ids = list(rows.order_by("number").values_list("pk", flat=True))
        PageEmbedding.objects.filter(owner_id=who.id, page_id__in=page_ids).delete()
        space_row, _ = Space.objects.get_or_create(model=space.model, revision=space.revision, dim=space.dim)
        vectors.insert(
            tx,
            [
                PageVectors(page_id=page_id, space_id=space_row.pk, vectors=page, layout=layout)
                for page_id, page, layout in zip(page_ids, pages, layouts or [None] * len(pages), strict=True)
                if page is not None
            ],
        )
        for page_id, text in zip(page_ids, texts, strict=False):
            rows.filter(pk=page_id).update(text=text)
    return page_ids


def with_words(who: Someone, name: str, texts: Sequence[str], *, image: bytes = PNG, **options: Any) -> list[int]:
    """Store pages with these words, embedded as the embeddings service of the tests does it; return their ids."""
    backend = LexicalBackend()
    rendered = Image.open(BytesIO(image)).convert("RGB")
    items = [
        Item(task="document", image=rendered, words=tuple(Word(word, 0.1, 0.1, 0.9, 0.2) for word in text.split()))
        for text in texts
    ]
    embedded = backend.encode(backend.collate([backend.prepare(item) for item in items]))
    return with_vectors(
        who,
        name,
        [page.vectors for page in embedded],
        layouts=[page.layout for page in embedded],
        space=backend.info.space,
        texts=texts,
        image=image,
        **options,
    )
