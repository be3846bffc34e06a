"""Which pages a search may see: of the caller's owner, within the reach of the key, and of what documents show."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from accounts.access import Caller
from collections_app.engine.conditions import Filter
from collections_app.filtering import matching
from collections_app.index import Place
from collections_app.models import Collection, Document, DocumentQuerySet, Page, PageEmbedding

EVERYWHERE = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to look; no collections means in every one. The pages `but` are what the others are compared with."""

    collections: frozenset[str] | None = None
    filter: Filter | None = None
    but: frozenset[int] = frozenset()


def places(caller: Caller, scope: Scope) -> list[Place]:
    """The collections that may hold something; inside `acting_for`."""
    rows = Collection.objects.visible_to(caller).filter(_named(scope, "name"), vectors_seq__gt=0)
    numbers = ("pk", "vectors_seq", "sketches_seq")
    return [Place(*row) for row in rows.order_by("pk").values_list(*numbers)]


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
    documents = Document.objects.visible_to(caller).filter(_named(scope, "collection__name"))
    if scope.filter:
        documents = documents.filter(
            matching(scope.filter.condition, document="metadata", collection="collection__metadata")
        )
    return documents


def _named(scope: Scope, field: str) -> Q:
    if scope.collections is None or EVERYWHERE in scope.collections:
        return Q()
    # Postgres cannot even be asked for a text with NUL; nothing has such a name.
    return Q(**{f"{field}__in": {name for name in scope.collections if "\x00" not in name}})
