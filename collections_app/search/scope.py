"""Which pages a search may see: of the caller's owner, within the reach of the key, and of what documents show."""

from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from numpy.typing import NDArray

from accounts.access import Caller
from collections_app.engine.input.filter_conditions import Filter
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.models import Collection, Document, DocumentQuerySet, Page, PageEmbedding, Space
from collections_app.search.filter_sql import matching
from collections_app.search.index import Place
from embeddings import contract
from paliapi.database import binary_cursor, statement

# Plain SQL, for every search asks it: building the same from models takes longer than Postgres does.
_PLACES = statement(
    "SELECT (SELECT id FROM {spaces} WHERE model = %s AND revision = %s AND dim = %s), "
    "c.id, c.vectors_seq, c.sketches_seq FROM {collections} AS c "
    "WHERE c.owner_id = %s AND c.vectors_seq > 0 AND (%s::text[] IS NULL OR c.name = ANY(%s)) ORDER BY c.id",
    spaces=Space,
    collections=Collection,
)

_HAS_VECTORS = statement(
    "SELECT EXISTS (SELECT 1 FROM {collections} AS c JOIN {documents} AS d ON d.collection_id = c.id "
    "JOIN {pages} AS p ON p.revision_id = d.shown_id JOIN {embeddings} AS e ON e.page_id = p.id "
    "WHERE c.owner_id = %s AND c.vectors_seq > 0 AND (%s::text[] IS NULL OR c.name = ANY(%s)))",
    collections=Collection,
    documents=Document,
    pages=Page,
    embeddings=PageEmbedding,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to look; no collections means in every one. The pages `but` are what the others are compared with."""

    collections: frozenset[str] | None = None
    filter: Filter | None = None
    but: frozenset[int] = frozenset()


def names(caller: Caller, scope: Scope) -> list[str] | None:
    """The collections that may be looked at; None: all of the owner's."""
    asked = None if scope.collections is None or ALL_COLLECTIONS in scope.collections else scope.collections
    if asked is None or caller.collections is None:
        both = caller.collections if asked is None else asked
    else:
        both = asked & caller.collections
    # Postgres cannot even be asked for a text with NUL; nothing has such a name.
    return None if both is None else [name for name in both if "\x00" not in name]


def places(caller: Caller, scope: Scope, space: contract.VectorSpace) -> tuple[int | None, list[Place]]:
    """The collections that may hold something, and by which number the space is known; inside `acting_for`.

    None: nothing is in this space, or nowhere is anything.
    """
    among = names(caller, scope)
    asked = [space.model, space.revision, space.dim, caller.owner_id, among, among]
    with connection.wrap_database_errors, binary_cursor() as cursor:
        rows = cursor.execute(_PLACES, asked, prepare=True, binary=True).fetchall()
    return rows[0][0] if rows else None, [Place(*row[1:]) for row in rows]


def has_vectors(caller: Caller, scope: Scope) -> bool:
    """Whether there may be anything to compare with, whatever a filter would leave of it; inside `acting_for`."""
    among = names(caller, scope)
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_HAS_VECTORS, [caller.owner_id, among, among], prepare=True, binary=True)
        return cursor.fetchone() == (True,)


def documents(caller: Caller, scope: Scope) -> NDArray[np.int64] | None:
    """The documents that a filter leaves; None where there is none. Inside `acting_for`."""
    if not scope.filter:
        return None
    return np.array(list(_documents(caller, scope).values_list("pk", flat=True)), dtype=np.int64)


def pages(caller: Caller, scope: Scope) -> QuerySet[Page]:
    """The pages in scope, whether they have vectors or not; inside `acting_for`."""
    shown = _documents(caller, scope).values("shown")
    return Page.objects.filter(owner_id=caller.owner_id, revision__in=shown).exclude(pk__in=scope.but)


def embedded(caller: Caller, scope: Scope) -> QuerySet[PageEmbedding]:
    """Those of them that have vectors, in whatever space."""
    shown = _documents(caller, scope).values("shown")
    rows = PageEmbedding.objects.filter(owner_id=caller.owner_id, page__revision__in=shown)
    return rows.filter(page__owner_id=caller.owner_id).exclude(pk__in=scope.but)


def _documents(caller: Caller, scope: Scope) -> DocumentQuerySet:
    documents = Document.objects.filter(owner_id=caller.owner_id)
    if (among := names(caller, scope)) is not None:
        documents = documents.filter(collection__name__in=among)
    if scope.filter:
        documents = documents.filter(
            matching(scope.filter.condition, document="metadata", collection="collection__metadata")
        )
    return documents
