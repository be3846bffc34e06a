"""The verb of searching. Until pages are embedded there is nothing to score, and it says so."""

from dataclasses import dataclass

from accounts.access import Caller
from collections_app.engine.conditions import Filter
from collections_app.errors import SearchNotReady
from collections_app.filtering import matching
from collections_app.models import Document, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and of which collections."""

    query: str
    collection_name: str
    top_k: int
    filter: Filter | None


def run(caller: Caller, question: Question) -> list[Page]:
    """The best pages in scope, best first; none when no page in scope can be searched."""
    documents = Document.objects.visible_to(caller).within(question.collection_name)
    if question.filter:
        where = matching(question.filter.condition, document="metadata", collection="collection__metadata")
        documents = documents.filter(where)
    if Page.objects.filter(owner_id=caller.owner_id, revision__in=documents.values("shown")).exists():
        raise SearchNotReady
    return []
