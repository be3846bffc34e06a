"""Which pages a search may see: of the caller's owner, within the reach of the key, and of what documents show."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.access import Caller
from collections_app.engine.conditions import Filter
from collections_app.filtering import matching
from collections_app.models import Document, DocumentQuerySet, Page, PageEmbedding

EVERYWHERE = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to look; no collections means in every one. The pages `but` are what the others are compared with."""

    collections: frozenset[str] | None = None
    filter: Filter | None = None
    but: frozenset[int] = frozenset()


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
    documents = Document.objects.visible_to(caller)
    if scope.collections is not None and EVERYWHERE not in scope.collections:
        # Postgres cannot even be asked for a text with NUL; nothing has such a name.
        names = {name for name in scope.collections if "\x00" not in name}
        documents = documents.filter(collection__name__in=names)
    if scope.filter:
        documents = documents.filter(
            matching(scope.filter.condition, document="metadata", collection="collection__metadata")
        )
    return documents
