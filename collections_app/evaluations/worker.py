"""Run evaluations: search for each question with each ranking, and store the ranks of what answers it.

The whole installation measures one run at a time, with one search at a time, which takes one of its owner's slots and
is followed by a pause as long as the search was. So an evaluation slows others down a little, however large it is. The
runs of an owner take turns with those of others. A run continues where it was if its process is killed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_as_housekeeping, acting_for
from accounts.rate_limits import TooManyAtOnce, concurrent
from collections_app.engine.evaluation import measures
from collections_app.engine.evaluation.questions import Question
from collections_app.evaluations import judged, report
from collections_app.evaluations.errors import EvaluationBrokeOff, EvaluationTookTooLong, NothingToEvaluate
from collections_app.models import Document, Page, PageEmbedding
from collections_app.owned import NO_LEASE
from collections_app.search import SearchRequest, SearchResult, TextQuery, search
from collections_app.tables.evaluations import UNFINISHED, EvaluatedRanking, Evaluation, EvaluationRun, RunStatus
from paliapi.database import release_connection
from paliapi.errors import Error, LimitReached, Unavailable

log = structlog.get_logger(__name__)

LEASE_DURATION = timedelta(minutes=2)  # longer than a few searches may take
MAX_ATTEMPTS = 3
# A run that waits longer, such as for an embeddings service that is never started, is failed.
MAX_AGE = timedelta(days=7)
# First key of the advisory lock under which runs are claimed.
_CLAIM_LOCK = 0x6576616C
# After this time, the run waits for its next turn.
_TURN_S = 10.0
_STORE_EVERY_S = 2.0
_MAX_PAUSE_S = 1.0
_PAUSE_WHEN_UNAVAILABLE = timedelta(seconds=15)
_MAX_MISSING = 100
_NEEDS_VECTORS = frozenset({EvaluatedRanking.AUTO, EvaluatedRanking.MAXSIM, EvaluatedRanking.HYBRID})
_NEEDS_TEXT = frozenset({EvaluatedRanking.HYBRID, EvaluatedRanking.LEXICAL})


class _LeaseLost(Exception):
    """The run was cancelled, deleted, or claimed by another process. Stop, and write nothing."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """The right to work on one run."""

    run_id: int
    owner_id: int
    token: UUID

    def write(self, tx: OwnerTransaction, **changes: Any) -> None:
        """Change the run and extend the lease if it still holds; else raise _LeaseLost."""
        rows = EvaluationRun.objects.filter(owner_id=tx.owner_id, pk=self.run_id, lease_token=self.token)
        changes = {"lease_until": Now() + LEASE_DURATION, **changes}
        if rows.filter(status__in=UNFINISHED).update(**changes) != 1:
            raise _LeaseLost

    def end(self, **changes: Any) -> None:
        """Change the run like `write`, and end the lease."""
        with acting_for(self.owner_id) as tx:
            self.write(tx, **NO_LEASE, **changes)


@dataclass(frozen=True, slots=True)
class _Work:
    """A run with what it needs."""

    lease: _Lease
    run: EvaluationRun
    collection_name: str
    questions: list[Question]

    @property
    def caller(self) -> Caller:
        return Caller(
            owner_id=self.run.owner_id,
            email="",
            key_id=0,
            scopes=frozenset({"search"}),
            collections=frozenset({self.collection_name}),
        )


def run(*, stop_after_s: float = _TURN_S) -> bool:
    """Measure questions of the next run for a while, and return whether more is due."""
    lease = _claim()
    if lease is None:
        return _free_abandoned() > 0
    with structlog.contextvars.bound_contextvars(evaluation_run=lease.run_id), suppress(_LeaseLost):
        _attempt(lease, until=time.monotonic() + stop_after_s)
    return any_due()


def any_due() -> bool:
    """Return whether a run could be claimed now."""
    with acting_as_housekeeping():
        runs = EvaluationRun.objects.of_active_owners()
        return runs.due().filter(attempts__lt=MAX_ATTEMPTS).exists() and not runs.held().exists()


def sweep() -> bool:
    """Fail the runs that used up their attempts or their time, and return whether another one is due."""
    _free_abandoned()
    with acting_as_housekeeping():
        unheld = EvaluationRun.objects.of_active_owners().unheld()
        over = unheld.filter(Q(attempts__gte=MAX_ATTEMPTS) | Q(created_at__lt=Now() - MAX_AGE))
        rows = list(over.only("pk", "owner_id", "attempts").select_for_update(skip_locked=True, of=("self",)))
        leases = [(_lease(row), row.attempts >= MAX_ATTEMPTS) for row in rows]
    for lease, broke_off in leases:
        with suppress(_LeaseLost):
            _fail(lease, EvaluationBrokeOff() if broke_off else EvaluationTookTooLong())
    return any_due()


def _claim() -> _Lease | None:
    """Lease the next run in fair order; None if none is due, or if another one is being measured.

    The attempt is counted before anything risky happens.
    """
    with acting_as_housekeeping():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIM_LOCK])
        if EvaluationRun.objects.held().exists():
            return None
        of_owner = EvaluationRun.objects.filter(owner=OuterRef("owner")).order_by().values("owner")
        last_turn = Subquery(of_owner.annotate(last=Max("claimed_at")).values("last"))
        due = EvaluationRun.objects.of_active_owners().due().filter(attempts__lt=MAX_ATTEMPTS)
        in_order = due.annotate(last_turn=last_turn).order_by(F("last_turn").asc(nulls_first=True), "claimed_at", "pk")
        row = in_order.only("pk", "owner_id").select_for_update(skip_locked=True, of=("self",)).first()
        return None if row is None else _lease(row, claimed_at=Now(), attempts=F("attempts") + 1)


def _lease(row: EvaluationRun, **changes: object) -> _Lease:
    token = EvaluationRun.objects.filter(pk=row.pk).lease(LEASE_DURATION, **changes)
    return _Lease(row.pk, row.owner_id, token)


def _free_abandoned() -> int:
    with acting_as_housekeeping():
        return EvaluationRun.objects.free_abandoned()


def _attempt(lease: _Lease, *, until: float) -> None:
    """Measure for a while. An error ends the run, or lets it wait, by its kind."""
    try:
        work = _begin(lease)
        results = _measure(work, until=until)
        if len(results) == len(work.questions):
            _finish(work, results)
        else:
            lease.end(status=RunStatus.QUEUED, next_try_at=Now(), attempts=0)
    except (Unavailable, LimitReached) as error:
        lease.end(
            status=RunStatus.QUEUED,
            next_try_at=Now() + _PAUSE_WHEN_UNAVAILABLE,
            waiting_for="" if isinstance(error, TooManyAtOnce) else error.code,
            attempts=0,
        )
    except Error as error:
        _fail(lease, error)


def _begin(lease: _Lease) -> _Work:
    """Read the run; at its first turn, find out what applies to the collection and what is missing from it."""
    with acting_for(lease.owner_id) as tx:
        row = EvaluationRun.objects.filter(owner_id=tx.owner_id, pk=lease.run_id).first()
        if row is None:
            raise _LeaseLost
        rows = Evaluation.objects.select_related("collection")
        evaluation = rows.get(owner_id=tx.owner_id, pk=row.evaluation_id)
        questions = [Question.from_json(stored) for stored in evaluation.questions]
        changes: dict[str, Any] = {}
        if not row.results:
            missing = judged.missing_items(tx, evaluation.collection, questions)
            row.rankings = _applicable(tx, evaluation, row.rankings)
            changes = {
                "rankings": row.rankings,
                "missing": missing[:_MAX_MISSING],
                "missing_count": len(missing),
            }
        if row.rankings:
            lease.write(tx, status=RunStatus.RUNNING, waiting_for="", **changes)
    if not row.rankings:
        raise NothingToEvaluate
    return _Work(lease, row, evaluation.collection.name, questions)


def _applicable(tx: OwnerTransaction, evaluation: Evaluation, rankings: list[str]) -> list[str]:
    """Return those of the rankings that can find pages of the collection: some need text, and some vectors."""
    shown = Document.objects.filter(owner_id=tx.owner_id, collection=evaluation.collection_id).values("shown")
    pages = Page.objects.filter(owner_id=tx.owner_id, revision__in=shown)
    without: set[str] = set()
    if not pages.exclude(text="").exists():
        without |= _NEEDS_TEXT
    if not PageEmbedding.objects.filter(owner_id=tx.owner_id, page__in=pages).exists():
        without |= _NEEDS_VECTORS
    return [ranking for ranking in rankings if ranking not in without]


def _measure(work: _Work, *, until: float) -> list[dict[str, Any]]:
    """Search for the next questions, store their results now and then, and return all so far."""
    results: list[dict[str, Any]] = list(work.run.results)
    stored_at = time.monotonic()
    for question in work.questions[len(results) :]:
        results.append({ranking: _ranks(work, question, ranking) for ranking in work.run.rankings})
        now = time.monotonic()
        if now >= until or now >= stored_at + _STORE_EVERY_S:
            _store(work, results)
            stored_at = now
        if now >= until:
            break
    return results


def _store(work: _Work, results: list[dict[str, Any]]) -> None:
    with acting_for(work.lease.owner_id) as tx:
        work.lease.write(tx, results=results, questions_done=len(results), attempts=0, model=work.run.model)


def _ranks(work: _Work, question: Question, ranking: str) -> dict[str, Any]:
    """Search, and return the ranks of what answers the question, with the milliseconds of each stage."""
    owner_id = work.lease.owner_id
    began = time.monotonic()
    try:
        with concurrent("search", owner_id=owner_id, limit=settings.ENV.max_concurrent_searches, within_s=5):
            result = search(work.caller, _request(work, question, ranking))
    except (Unavailable, LimitReached):
        raise
    except Error as error:  # this question cannot be asked, such as one with too many vectors
        return {"ranks": [None] * len(question.relevant), "ms": {}, "error": error.code}
    release_connection()
    time.sleep(min(time.monotonic() - began, _MAX_PAUSE_S))
    if space := result.receipt.space:
        work.run.model = f"{space.model}@{space.revision}" if space.revision else space.model
    return {
        "ranks": _places(result, question),
        "ms": {stage: round(ms, 2) for stage, ms in result.receipt.stopwatch.ms.items()},
    }


def _request(work: _Work, question: Question, ranking: Any) -> SearchRequest:
    return SearchRequest(
        query=TextQuery(question.text, at="/query"),
        collections=frozenset({work.collection_name}),
        ranking=ranking,
        top_k=measures.DEPTH,
    )


def _places(result: SearchResult, question: Question) -> list[int | None]:
    """Return the rank of each relevant page; or of each relevant document, in the order of their best pages."""
    by_page = question.relevant[0].page is not None
    name: Callable[[Any], Any] = (
        (lambda page: (page.document_name, page.number)) if by_page else (lambda page: (page.document_name, None))
    )
    order = list(dict.fromkeys(name(hit.page) for hit in result.hits))
    places = {item: rank for rank, item in enumerate(order, start=1)}
    return [places.get(one.item) for one in question.relevant]


def _finish(work: _Work, results: list[dict[str, Any]]) -> None:
    work.lease.end(
        status=RunStatus.DONE,
        results=results,
        questions_done=len(results),
        measures=report.means(work.questions, results),
        timings=report.timings(results),
        model=work.run.model,
        ended_at=Now(),
    )
    log.info("evaluated", questions=len(results))


def _fail(lease: _Lease, error: Error) -> None:
    details = {"code": error.code, "detail": error.detail}
    lease.end(status=RunStatus.FAILED, error=details, waiting_for="", ended_at=Now())
    log.info("evaluation_failed", code=error.code)
