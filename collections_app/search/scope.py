"""Which pages a search may see: the owner's, in collections that the key may read, of the revisions that are shown."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from django.db.models import F, Func, IntegerField, QuerySet, Sum
from numpy.typing import NDArray

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app.engine.input.filter_conditions import Filter
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.models import Collection, Document, DocumentQuerySet, Page, PageEmbedding, Space
from collections_app.search.filter_sql import metadata_matches
from embeddings import contract
from paliapi.database import Command, array_of_texts, statement

# Every search runs this. Building the same statement from models takes longer than Postgres needs to execute it.
_COLLECTION_VERSIONS = statement(
    "SELECT (SELECT id FROM {spaces} WHERE model = %s AND revision = %s AND dim = %s), "
    "c.id, c.vectors_seq, c.sketches_seq, c.vector_storage FROM {collections} AS c "
    "WHERE c.owner_id = %s AND c.vectors_seq > 0 AND (%s::text[] IS NULL OR c.name = ANY(%s::text[])) ORDER BY c.id",
    spaces=Space,
    collections=Collection,
)

_HAS_VECTORS = statement(
    "SELECT EXISTS (SELECT 1 FROM {collections} AS c JOIN {documents} AS d ON d.collection_id = c.id "
    "JOIN {pages} AS p ON p.revision_id = d.shown_id JOIN {embeddings} AS e ON e.page_id = p.id "
    "WHERE c.owner_id = %s AND c.vectors_seq > 0 AND (%s::text[] IS NULL OR c.name = ANY(%s::text[])))",
    collections=Collection,
    documents=Document,
    pages=Page,
    embeddings=PageEmbedding,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to search. The excluded pages are those that the query itself names."""

    collections: frozenset[str] | None = None  # None: all of them
    filter: Filter | None = None
    excluded_page_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CollectionVersion:
    """A collection and the counters of its changes. Sketches loaded before `sketches_seq` must not be used."""

    collection_id: int
    vectors_seq: int
    sketches_seq: int
    vector_storage: str


def collection_names(caller: Caller, scope: Scope) -> list[str] | None:
    """Return the names of the collections that may be searched; None for all of the owner's."""
    requested = None if scope.collections is None or ALL_COLLECTIONS in scope.collections else scope.collections
    if requested is None or caller.collections is None:
        names = caller.collections if requested is None else requested
    else:
        names = requested & caller.collections
    # Postgres accepts no parameter with a NUL character, and no collection has one in its name.
    return None if names is None else [name for name in names if "\x00" not in name]


def collection_versions(
    tx: OwnerTransaction, caller: Caller, scope: Scope, space: contract.VectorSpace
) -> tuple[int | None, list[CollectionVersion]]:
    """Return the id of the space, and the collections in scope that ever had vectors.

    The id is None if the space is unknown or there is no such collection.
    """
    rows = tx.read(collection_versions_command(caller, scope, space))
    return rows[0][0] if rows else None, [CollectionVersion(*row[1:]) for row in rows]


def collection_versions_command(caller: Caller, scope: Scope, space: contract.VectorSpace) -> Command:
    """Return the statement of `collection_versions`, with which a transaction can begin."""
    names = array_of_texts(collection_names(caller, scope))
    values = (space.model, space.revision, space.dim, caller.owner_id, names, names)
    return Command(_COLLECTION_VERSIONS, values)


def has_vectors(tx: OwnerTransaction, caller: Caller, scope: Scope) -> bool:
    """Return whether any page in scope has vectors, leaving the filter out of account."""
    names = array_of_texts(collection_names(caller, scope))
    return tx.read(Command(_HAS_VECTORS, (tx.owner_id, names, names))) == [(True,)]


def filtered_document_ids(tx: OwnerTransaction, caller: Caller, scope: Scope) -> NDArray[np.int64] | None:
    """Return the ids of the documents that match the filter; None without a filter."""
    if not scope.filter:
        return None
    return np.array(list(_documents(tx, caller, scope).values_list("pk", flat=True)), dtype=np.int64)


def pages(tx: OwnerTransaction, caller: Caller, scope: Scope) -> QuerySet[Page]:
    """Return the pages in scope, with or without vectors."""
    shown = _documents(tx, caller, scope).values("shown")
    return Page.objects.filter(owner_id=tx.owner_id, revision__in=shown).exclude(pk__in=scope.excluded_page_ids)


def count_pages(tx: OwnerTransaction, caller: Caller, scope: Scope) -> int:
    """Return the number of pages in scope, by what documents know of their pages: there are fewer documents to read."""
    left_out = Func(F("shown__skipped"), function="jsonb_array_length", output_field=IntegerField())
    of_document = F("shown__pages_total") - left_out
    total: int = _documents(tx, caller, scope).aggregate(n=Sum(of_document, default=0))["n"]
    if not scope.excluded_page_ids:
        return total
    everything = replace(scope, excluded_page_ids=frozenset())
    return total - pages(tx, caller, everything).filter(pk__in=scope.excluded_page_ids).count()


def embedded_pages(tx: OwnerTransaction, caller: Caller, scope: Scope) -> QuerySet[PageEmbedding]:
    """Return the vectors of the pages in scope, in any space."""
    shown = _documents(tx, caller, scope).values("shown")
    rows = PageEmbedding.objects.filter(owner_id=tx.owner_id, page__revision__in=shown)
    return rows.filter(page__owner_id=tx.owner_id).exclude(pk__in=scope.excluded_page_ids)


def documents_of(tx: OwnerTransaction, page_ids: Iterable[int]) -> dict[int, int]:
    """Return the document id of each page that still exists."""
    rows = Page.objects.filter(owner_id=tx.owner_id, pk__in=page_ids)
    return dict(rows.values_list("pk", "revision__document_id"))


def _documents(tx: OwnerTransaction, caller: Caller, scope: Scope) -> DocumentQuerySet:
    documents = Document.objects.filter(owner_id=tx.owner_id)
    if (names := collection_names(caller, scope)) is not None:
        documents = documents.filter(collection__name__in=names)
    if scope.filter:
        documents = documents.filter(
            metadata_matches(scope.filter.condition, document="metadata", collection="collection__metadata")
        )
    return documents
