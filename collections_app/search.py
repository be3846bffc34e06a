"""The verb of searching: every page in scope is scored exactly, a few at a time, however many there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app import asking, scope, vectors
from collections_app.asking import Asked, LikePage, Query
from collections_app.engine import maxsim
from collections_app.engine.conditions import Filter
from collections_app.engine.ranking import Best
from collections_app.engine.stopwatch import Stopwatch
from collections_app.models import Page, Space
from collections_app.scope import Scope
from embeddings import contract

T = TypeVar("T")

# Pages whose vectors are in memory at once: at 1,030 vectors of 128 dimensions each, a few megabytes.
_AT_ONCE = 16
_IDS_AT_ONCE = 1024
# A page that goes while it is scored may have given its place to a newer one, which only another look finds.
_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, of which collections (None: all), and how much of the answer is wanted."""

    asked: Asked
    collections: frozenset[str] | None = None
    filter: Filter | None = None
    top_k: int = 3
    offset: int = 0
    min_score: float | None = None  # of the normalised score
    by_document: bool = False
    with_text: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One page of the answer, with its document, collection and image."""

    page: Page
    score: float
    normalized_score: float


@dataclass(slots=True, kw_only=True)
class Receipt:
    """How an answer was obtained."""

    watch: Stopwatch
    mode: Literal["exact"] = "exact"
    space: contract.Space | None = None  # None: there was nothing to compare with
    pages_in_scope: int = 0
    pages_scored: int = 0

    @property
    def pages_left_out(self) -> int:
        """Pages in scope without vectors, or with those of another model."""
        return self.pages_in_scope - self.pages_scored


@dataclass(frozen=True, slots=True)
class Answer:
    """The best pages, best first."""

    receipt: Receipt
    hits: list[Hit] = field(default_factory=list)


def run(caller: Caller, question: Question) -> Answer:
    """Search; call it outside a transaction, for it may ask the embeddings service."""
    receipt = Receipt(watch=Stopwatch())
    asked = question.asked
    if isinstance(asked, LikePage):
        with receipt.watch.stage("query"), acting_for(caller.owner_id):
            page_id, query = asking.query_of_page(caller, asked)
        where = _where(question, but=page_id)
        return _answered(caller, question, query, where, receipt) if _any(caller, where, receipt) else Answer(receipt)
    where = _where(question, but=None)
    if not _any(caller, where, receipt):
        return Answer(receipt)
    with receipt.watch.stage("query"):
        query = asking.query_of(caller, asked)
    return _answered(caller, question, query, where, receipt)


def _where(question: Question, *, but: int | None) -> Scope:
    return Scope(collections=question.collections, filter=question.filter, but=but)


def _any(caller: Caller, where: Scope, receipt: Receipt) -> bool:
    """Whether anything in scope has vectors at all; where nothing has, nobody need be asked for the question's."""
    with receipt.watch.stage("scope"), acting_for(caller.owner_id):
        if scope.embedded(caller, where).exists():
            return True
        receipt.pages_in_scope = scope.pages(caller, where).count()
        return False


def _answered(caller: Caller, question: Question, query: Query, where: Scope, receipt: Receipt) -> Answer:
    receipt.space = query.space
    hits: list[Hit] = []
    for _ in range(_LOOKS):
        hits, complete = _look(caller, question, query, where, receipt)
        if complete:
            break
    return Answer(receipt, hits)


def _look(caller: Caller, question: Question, query: Query, where: Scope, receipt: Receipt) -> tuple[list[Hit], bool]:
    """The hits, and whether everything that was in scope at the beginning was still there at the end."""
    with acting_for(caller.owner_id):
        with receipt.watch.stage("score"):
            best, scored, complete = _score(caller, question, query, where)
            receipt.pages_scored = scored
            receipt.pages_in_scope = max(scored, scope.pages(caller, where).count())
        with receipt.watch.stage("fetch"):
            ranked = best.ranked()[question.offset :]
            rows = _fetch(caller, [page_id for page_id, _ in ranked], where, with_text=question.with_text)
    size = len(query.vectors)
    hits = [Hit(rows[page_id], score, score / size) for page_id, score in ranked if page_id in rows]
    return hits, complete and len(hits) == len(ranked)


def _score(caller: Caller, question: Question, query: Query, where: Scope) -> tuple[Best, int, bool]:
    """The best pages, how many were scored, and whether none was gone before its turn came."""
    least = {} if question.min_score is None else {"at_least": question.min_score * len(query.vectors)}
    best = Best(question.offset + question.top_k, **least)
    scored, complete = 0, True
    told = query.space
    space = Space.objects.filter(model=told.model, revision=told.revision, dim=told.dim).first()
    if space is None:
        return best, scored, complete
    rows = scope.embedded(caller, where).filter(space=space).values_list("page_id", "page__revision__document_id")
    for some in _batched(rows.iterator(chunk_size=_IDS_AT_ONCE), _AT_ONCE):
        documents = dict(some)
        found, packed = vectors.read_packed(caller.owner_id, list(documents), dim=told.dim)
        complete = complete and len(found) == len(documents)
        if packed is not None:
            groups = [documents[page_id] for page_id in found] if question.by_document else found
            best.add(maxsim.scores(query.vectors, packed), ids=found, groups=groups)
            scored += len(found)
    return best, scored, complete


def _fetch(caller: Caller, page_ids: list[int], where: Scope, *, with_text: bool) -> dict[int, Page]:
    """The pages with all that is told of them, if they are still there and the caller may still see them."""
    if not page_ids:
        return {}
    rows = scope.pages(caller, where).filter(pk__in=page_ids)
    rows = rows.select_related("image", "revision__document__collection")
    return {row.pk: row for row in (rows if with_text else rows.defer("text"))}


def _batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    some = iter(rows)
    while batch := list(islice(some, size)):
        yield batch
