"""Operations on runs of an evaluation: start, list, find, cancel and delete them."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from accounts.quotas import charge
from collections_app.evaluations import judged
from collections_app.evaluations.errors import (
    EvaluationNotFound,
    EvaluationRunning,
    EvaluationRunNotFound,
    EvaluationRunOver,
    EvaluationRunUnfinished,
    TooManyEvaluationRuns,
)
from collections_app.owned import NO_LEASE
from collections_app.tables.evaluations import UNFINISHED, EvaluatedRanking, Evaluation, EvaluationRun, RunStatus

_MAX_ID = 2**63 - 1
# About what the ranks and timings of one question take, for each ranking.
_BYTES_PER_RESULT = 256


def start(tx: OwnerTransaction, caller: Caller, evaluation_id: int, *, rankings: Sequence[str] = ()) -> EvaluationRun:
    """Queue a run for these rankings, by default for all. Wake a worker after the transaction."""
    evaluation = judged.find(tx, caller, evaluation_id)
    locked = Evaluation.objects.filter(owner_id=tx.owner_id, pk=evaluation.pk).only("pk").select_for_update().first()
    if locked is None:
        raise EvaluationNotFound
    runs = EvaluationRun.objects.filter(owner_id=tx.owner_id, evaluation=evaluation)
    if runs.filter(status__in=UNFINISHED).exists():
        raise EvaluationRunning
    if runs.count() >= settings.ENV.max_evaluation_runs:
        raise TooManyEvaluationRuns(f"An evaluation may have {settings.ENV.max_evaluation_runs} runs.")
    chosen = [name for name in EvaluatedRanking.values if not rankings or name in rankings]
    size = evaluation.question_count * len(chosen) * _BYTES_PER_RESULT
    row = EvaluationRun(owner_id=tx.owner_id, evaluation=evaluation, rankings=chosen, size=size)
    row.save(force_insert=True)
    charge(tx, bytes=size)
    return find(tx, caller, evaluation_id, row.pk)


def of_evaluation(tx: OwnerTransaction, caller: Caller, evaluation_id: int) -> QuerySet[EvaluationRun]:
    """Return the runs of an evaluation, without the results of single questions."""
    evaluation = judged.find(tx, caller, evaluation_id)
    rows = EvaluationRun.objects.filter(owner_id=tx.owner_id, evaluation=evaluation)
    return rows.select_related("evaluation").defer("results", "evaluation__questions")


def find(tx: OwnerTransaction, caller: Caller, evaluation_id: int, run_id: int) -> EvaluationRun:
    rows = of_evaluation(tx, caller, evaluation_id)
    run = rows.filter(pk=run_id).first() if run_id <= _MAX_ID else None
    if run is None:
        raise EvaluationRunNotFound
    return run


def find_done(tx: OwnerTransaction, caller: Caller, evaluation_id: int, run_id: int) -> EvaluationRun:
    """Return a run with results; raise EvaluationRunUnfinished if it has none."""
    run = find(tx, caller, evaluation_id, run_id)
    if run.status != RunStatus.DONE:
        raise EvaluationRunUnfinished
    return run


def cancel(tx: OwnerTransaction, caller: Caller, evaluation_id: int, run_id: int) -> EvaluationRun:
    """Cancel a run; a worker that holds it stops at its next write."""
    run = find(tx, caller, evaluation_id, run_id)
    rows = EvaluationRun.objects.filter(owner_id=tx.owner_id, pk=run.pk, status__in=UNFINISHED)
    if not rows.update(status=RunStatus.CANCELLED, ended_at=Now(), waiting_for="", results=[], **NO_LEASE):
        raise EvaluationRunOver
    return find(tx, caller, evaluation_id, run_id)


def delete(tx: OwnerTransaction, caller: Caller, evaluation_id: int, run_id: int) -> None:
    """Delete a run, also one that is not finished."""
    run = find(tx, caller, evaluation_id, run_id)
    deleted, _ = EvaluationRun.objects.filter(owner_id=tx.owner_id, pk=run.pk).delete()
    if not deleted:
        raise EvaluationRunNotFound
    charge(tx, bytes=-run.size)
