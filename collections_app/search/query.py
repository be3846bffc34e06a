"""Query inputs, and the vectors they become.

Text and images are embedded by the embeddings service; a page brings the vectors that are stored for it.
"""

import time
from dataclasses import dataclass, field
from typing import TypeAlias

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app import catalogue, embeddings_client
from collections_app.engine.input import base64_input
from collections_app.engine.retrieval import weights
from collections_app.engine.retrieval.boxes import Box, vectors_inside
from collections_app.engine.retrieval.ttl_cache import TtlCache
from collections_app.errors import PageNotFound
from collections_app.models import Page, PageEmbedding, Space
from collections_app.search import shared_queries
from collections_app.search.errors import (
    CropEmpty,
    PageNotSearchable,
    PageWithoutLayout,
    QueryMixesSpaces,
    QueryTooLong,
)
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.shared_queries import Question
from collections_app.storage import vectors
from embeddings import contract

_MAX_PAGE_NUMBER = 2**31 - 1
# Longer texts are rare, and a few of them would fill the memory.
_MAX_CACHED_TEXT = 500
# A page has one or two thousand.
MAX_VECTORS = 8192


@dataclass(frozen=True, slots=True)
class TextQuery:
    """A query in words; `at` is the JSON pointer to it in the request."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """An image in base64; `at` is the JSON pointer to it in the request."""

    base64: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """One of the caller's own pages, to find similar ones; with a box, only that region of it."""

    document_name: str
    collection_name: str
    page_number: int
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class QueryPart:
    """A part of a composite query. A negative weight pushes matching pages down."""

    query: TextQuery | ImageQuery | PageQuery
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CompositeQuery:
    """Several queries combined; at least one part."""

    parts: tuple[QueryPart, ...]


QueryInput: TypeAlias = TextQuery | ImageQuery | PageQuery | CompositeQuery


@dataclass(frozen=True, slots=True)
class StoredQueryPages:
    """The pages that a query names, and the stored vectors of each, by the index of its part."""

    page_ids: frozenset[int] = frozenset()
    by_part: dict[int, QueryVectors] = field(default_factory=dict)


# What this process has embedded lately, or read from Redis, by question.
_recent: TtlCache[Question, QueryVectors] = TtlCache(limit=1024, seconds=shared_queries.SECONDS)
# How long a search waits while another one has the same question embedded; then it calls the service as well.
_WAIT_S, _SHORT_WAIT_S = 1.5, 0.5


def text_of(query: QueryInput) -> str:
    """Return all text that a page should match; an empty string if there is none."""
    texts = [part.query.text for part in _parts(query) if isinstance(part.query, TextQuery) and part.weight > 0]
    return " ".join(texts)


def is_text_only(query: QueryInput) -> bool:
    """Return whether text says everything: text search knows neither images nor negative weights."""
    return all(isinstance(part.query, TextQuery) and part.weight > 0 for part in _parts(query))


def names_pages(query: QueryInput) -> bool:
    return any(isinstance(part.query, PageQuery) for part in _parts(query))


def needs_no_model(caller: Caller, query: QueryInput) -> bool:
    """Return whether the vectors of all parts are stored or cached. A cached one may still expire before its use."""
    return all(
        isinstance(part.query, PageQuery) or (isinstance(part.query, TextQuery) and _is_cached(caller, part.query.text))
        for part in _parts(query)
    )


def read_stored_pages(tx: OwnerTransaction, caller: Caller, query: QueryInput) -> StoredQueryPages:
    """Return the pages that the query names, with their stored vectors."""
    by_part: dict[int, QueryVectors] = {}
    page_ids: set[int] = set()
    for index, part in enumerate(_parts(query)):
        if isinstance(part.query, PageQuery):
            page_id, by_part[index] = _read_page(tx, caller, part.query)
            page_ids.add(page_id)
    return StoredQueryPages(frozenset(page_ids), by_part)


def embed(caller: Caller, query: QueryInput, stored: StoredQueryPages, *, fail_fast: bool = False) -> QueryVectors:
    """Return the vectors of the whole query. Call outside a transaction: it may call the embeddings service."""
    parts = _parts(query)
    embedded = [
        stored.by_part[index]
        if isinstance(part.query, PageQuery)
        else _embed_part(caller, part.query, fail_fast=fail_fast)
        for index, part in enumerate(parts)
    ]
    if len(spaces := {part.space for part in embedded}) > 1:
        names = sorted(f"{space.model or 'unnamed'} {space.revision}".strip() for space in spaces)
        raise QueryMixesSpaces(
            f"Vectors of {' and of '.join(names)} cannot be compared. Send these parts as separate queries."
        )
    if sum(len(part.vectors) for part in embedded) > MAX_VECTORS:
        raise QueryTooLong(f"The parts have more than {MAX_VECTORS:,} vectors in all. Send fewer parts, or crop pages.")
    if not isinstance(query, CompositeQuery):
        return embedded[0]
    weighted = [(vectors.vectors, part.weight) for vectors, part in zip(embedded, parts, strict=True)]
    all_vectors, all_weights = weights.combine(weighted)
    return QueryVectors(embedded[0].space, all_vectors, all_weights)


def _parts(query: QueryInput) -> tuple[QueryPart, ...]:
    return query.parts if isinstance(query, CompositeQuery) else (QueryPart(query),)


def _read_page(tx: OwnerTransaction, caller: Caller, query: PageQuery) -> tuple[int, QueryVectors]:
    document = catalogue.find_document(tx, caller, query.document_name, collection_name=query.collection_name)
    number = min(query.page_number, _MAX_PAGE_NUMBER)
    pages = Page.objects.filter(owner_id=tx.owner_id, revision=document.shown_id or 0, number=number)
    page_id = pages.values_list("pk", flat=True).first()
    if page_id is None:
        raise PageNotFound
    embeddings = PageEmbedding.objects.filter(owner_id=tx.owner_id, pk=page_id)
    space = Space.objects.filter(pk__in=embeddings.values("space")).first()
    page_vectors = vectors.read(tx, [page_id]).get(page_id)
    if space is None or page_vectors is None:
        raise PageNotSearchable
    if query.box is not None:
        layout = embeddings.values_list("layout", flat=True).first()
        if not layout:
            raise PageWithoutLayout
        in_box = vectors_inside(layout, query.box, count=len(page_vectors))
        if not in_box.any():
            raise CropEmpty
        page_vectors = page_vectors[in_box]
    return page_id, QueryVectors(contract.VectorSpace(space.model, space.revision, space.dim), page_vectors)


def _embed_part(caller: Caller, query: TextQuery | ImageQuery, *, fail_fast: bool) -> QueryVectors:
    if isinstance(query, ImageQuery):
        image = base64_input.decode(query.base64, at=query.at)
        space, image_vectors = embeddings_client.embed_image_query(image, at=query.at, fail_fast=fail_fast)
        return QueryVectors(space, image_vectors)

    def call_the_model() -> QueryVectors:
        return QueryVectors(*embeddings_client.embed_query(query.text, at=query.at, fail_fast=fail_fast))

    if len(query.text) > _MAX_CACHED_TEXT:
        return call_the_model()
    asked = shared_queries.question(caller.owner_id, query.text)
    until = time.monotonic() + (_SHORT_WAIT_S if fail_fast else _WAIT_S)
    return _recent.get_or_compute(
        asked, lambda: shared_queries.embed_once(asked, call_the_model, until=until), until=until
    )


def _is_cached(caller: Caller, text: str) -> bool:
    if len(text) > _MAX_CACHED_TEXT:
        return False
    asked = shared_queries.question(caller.owner_id, text)
    if _recent.get(asked) is None:
        if (shared := shared_queries.get(asked)) is None:
            return False
        _recent.put(asked, shared)
    return True
