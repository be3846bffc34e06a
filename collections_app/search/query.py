"""What is asked, as vectors: words and images by way of the embeddings service, pages by what is kept of them."""

from dataclasses import dataclass, field
from typing import TypeAlias

from django.conf import settings

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app import catalogue, embeddings_client
from collections_app.engine.input import base64_input
from collections_app.engine.retrieval import weights
from collections_app.engine.retrieval.boxes import Box, inside
from collections_app.engine.retrieval.ttl_cache import Recent
from collections_app.errors import PageNotFound
from collections_app.models import Page, PageEmbedding, Space
from collections_app.search.errors import (
    CropEmpty,
    PageNotSearchable,
    PageWithoutLayout,
    QueryMixesSpaces,
    QueryTooLong,
)
from collections_app.search.vector_search import Query
from collections_app.storage import vectors
from embeddings import contract

_LARGEST_NUMBER = 2**31 - 1
# Longer ones are rare, and few of them would fill the memory.
_LONGEST_KEPT = 500
# A page has a thousand or two.
MOST_VECTORS = 8192


@dataclass(frozen=True, slots=True)
class Words:
    """A question in words; `at` is where it lies in the request."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in base64."""

    base64: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LikePage:
    """A page of the caller's own, to find others like it; with a box only what lies inside."""

    document_name: str
    collection_name: str
    page_number: int
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that are asked together; what is to be avoided has a weight below zero."""

    asked: Words | Picture | LikePage
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Together:
    """At least one part."""

    parts: tuple[Part, ...]


Asked: TypeAlias = Words | Picture | LikePage | Together


@dataclass(frozen=True, slots=True)
class Kept:
    """What is asked of pages that are there: their ids, and the query of each part that is one, by its place."""

    page_ids: frozenset[int] = frozenset()
    queries: dict[int, Query] = field(default_factory=dict)


# By owner too, so that nobody can tell by the time it takes what others have asked.
_recent: Recent[tuple[int, str, str], Query] = Recent(most=256, seconds=60)


def words_of(asked: Asked) -> str:
    """All words that are looked for; none, if only images and pages are."""
    return " ".join(part.asked.text for part in _parts(asked) if isinstance(part.asked, Words) and part.weight > 0)


def only_words(asked: Asked) -> bool:
    """Whether words say all that is asked; a ranking by words knows nothing of images, nor of what is to be avoided."""
    return all(isinstance(part.asked, Words) and part.weight > 0 for part in _parts(asked))


def kept_of(tx: OwnerTransaction, caller: Caller, asked: Asked) -> Kept:
    """The pages that are meant, and the vectors that are kept of them: no model is asked."""
    queries: dict[int, Query] = {}
    page_ids: set[int] = set()
    for place, part in enumerate(_parts(asked)):
        if isinstance(part.asked, LikePage):
            page_id, queries[place] = _query_of_page(tx, caller, part.asked)
            page_ids.add(page_id)
    return Kept(frozenset(page_ids), queries)


def names_pages(asked: Asked) -> bool:
    return any(isinstance(part.asked, LikePage) for part in _parts(asked))


def is_at_hand(caller: Caller, asked: Asked) -> bool:
    """Whether no model has to be asked, unless what was asked a moment ago is forgotten just now."""
    return all(
        isinstance(part.asked, LikePage)
        or (isinstance(part.asked, Words) and _recent.get(_key(caller, part.asked)) is not None)
        for part in _parts(asked)
    )


def query_of(caller: Caller, asked: Asked, kept: Kept, *, fail_fast: bool = False) -> Query:
    """All of it as one query; outside a transaction, for the embeddings service is asked for what is not kept."""
    parts = _parts(asked)
    queries = [
        kept.queries[place] if isinstance(part.asked, LikePage) else _embedded(caller, part.asked, fail_fast=fail_fast)
        for place, part in enumerate(parts)
    ]
    if len(spaces := {query.space for query in queries}) > 1:
        told = sorted(f"{space.model or 'unnamed'} {space.revision}".strip() for space in spaces)
        raise QueryMixesSpaces(f"Vectors of {' and of '.join(told)} cannot be compared. Send these parts one by one.")
    if sum(len(query.vectors) for query in queries) > MOST_VECTORS:
        raise QueryTooLong(f"All parts together have more than {MOST_VECTORS:,} vectors; send fewer, or crop pages.")
    if not isinstance(asked, Together):
        return queries[0]
    both = [(query.vectors, part.weight) for query, part in zip(queries, parts, strict=True)]
    return Query(queries[0].space, *weights.together(both))


def _parts(asked: Asked) -> tuple[Part, ...]:
    return asked.parts if isinstance(asked, Together) else (Part(asked),)


def _query_of_page(tx: OwnerTransaction, caller: Caller, asked: LikePage) -> tuple[int, Query]:
    document = catalogue.find_document(tx, caller, asked.document_name, collection_name=asked.collection_name)
    number = min(asked.page_number, _LARGEST_NUMBER)
    pages = Page.objects.filter(owner_id=caller.owner_id, revision=document.shown_id or 0, number=number)
    page_id = pages.values_list("pk", flat=True).first()
    if page_id is None:
        raise PageNotFound
    rows = PageEmbedding.objects.filter(owner_id=caller.owner_id, pk=page_id)
    space = Space.objects.filter(pk__in=rows.values("space")).first()
    found = vectors.read(caller.owner_id, [page_id])
    if space is None or page_id not in found:
        raise PageNotSearchable
    rows_of_page = found[page_id]
    if asked.box is not None:
        layout = rows.values_list("layout", flat=True).first()
        if not layout:
            raise PageWithoutLayout
        chosen = inside(layout, asked.box, count=len(rows_of_page))
        if not chosen.any():
            raise CropEmpty
        rows_of_page = rows_of_page[chosen]
    return page_id, Query(contract.VectorSpace(space.model, space.revision, space.dim), rows_of_page)


def _embedded(caller: Caller, asked: Words | Picture, *, fail_fast: bool) -> Query:
    if isinstance(asked, Picture):
        return Query(
            *embeddings_client.embed_image_query(
                base64_input.decode(asked.base64, at=asked.at), at=asked.at, fail_fast=fail_fast
            )
        )
    key = _key(caller, asked)
    query = _recent.get(key)
    if query is None:
        query = Query(*embeddings_client.embed_query(asked.text, at=asked.at, fail_fast=fail_fast))
        if len(asked.text) <= _LONGEST_KEPT:
            _recent.put(key, query)
    return query


def _key(caller: Caller, asked: Words) -> tuple[int, str, str]:
    return caller.owner_id, settings.ENV.embeddings_url, asked.text
