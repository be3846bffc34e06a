"""What is asked, as vectors: words and images by way of the embeddings service, a page by what is kept of it."""

from dataclasses import dataclass
from typing import TypeAlias

from django.conf import settings

from accounts.access import Caller
from collections_app import catalogue, embedder, vectors
from collections_app.engine import coded
from collections_app.engine.multivector import MultiVector
from collections_app.engine.recent import Recent
from collections_app.errors import PageNotFound, PageNotSearchable
from collections_app.models import Page, PageEmbedding, Space
from embeddings import contract

_LARGEST_NUMBER = 2**31 - 1
# Longer ones are rare, and few of them would fill the memory.
_LONGEST_KEPT = 500


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
    """A page of the caller's own, to find others like it."""

    document_name: str
    collection_name: str
    page_number: int


Asked: TypeAlias = Words | Picture | LikePage


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One late-interaction query."""

    space: contract.Space
    vectors: MultiVector


# By owner too, so that nobody can tell by the time it takes what others have asked.
_recent: Recent[tuple[int, str, str], Query] = Recent(most=256, seconds=60)


def query_of_page(caller: Caller, asked: LikePage) -> tuple[int, Query]:
    """The page that is meant, and the vectors that are kept of it: no model is asked. Inside `acting_for`."""
    document = catalogue.find_document(caller, asked.document_name, collection_name=asked.collection_name)
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
    return page_id, Query(contract.Space(space.model, space.revision, space.dim), found[page_id])


def query_of(caller: Caller, asked: Words | Picture) -> Query:
    """The vectors that the embeddings service makes of it; call it outside a transaction."""
    if isinstance(asked, Picture):
        return Query(*embedder.picture(coded.decoded(asked.base64, at=asked.at), at=asked.at))
    key = (caller.owner_id, settings.ENV.embeddings_url, asked.text)
    query = _recent.get(key)
    if query is None:
        query = Query(*embedder.question(asked.text, at=asked.at))
        if len(asked.text) <= _LONGEST_KEPT:
            _recent.put(key, query)
    return query
