"""Operations on evaluations: questions with judgements, and runs that measure rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from paliapi_client.flows import idempotency, paging
from paliapi_client.flows.readers import nothing, one, several
from paliapi_client.flows.steps import Listing, Request
from paliapi_client.models.evaluations import Comparison, Evaluation, EvaluationRun, Question
from paliapi_client.operations.bodies import without_none

Ranking = Literal["auto", "maxsim", "hybrid", "lexical"]


def list_all(*, collection_name: str | None = None, page_size: int | None = None) -> Listing[Evaluation]:
    """Iterate over all evaluations, or those of a collection."""
    return paging.listing(
        Request(
            method="GET",
            path="/evaluations/",
            params={"collection_name": collection_name, "limit": page_size},
            decode=paging.rows_of(paging.of(Evaluation)),
        )
    )


def create(
    name: str,
    *,
    collection_name: str | None = None,
    questions: Sequence[Mapping[str, Any]] | None = None,
    queries: str | None = None,
    qrels: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Evaluation]:
    """Create an evaluation of `questions`, or of the text of a file of queries and of one of judgements."""
    body = without_none(
        name=name,
        collection_name=collection_name,
        questions=None if questions is None else [dict(question) for question in questions],
        queries=queries,
        qrels=qrels,
    )
    headers = idempotency.headers(idempotency_key)
    return Request(method="POST", path="/evaluations/", json=body, headers=headers, decode=one(Evaluation))


def get(evaluation_id: int) -> Request[Evaluation]:
    """Return an evaluation."""
    return Request(method="GET", path=_path(evaluation_id), decode=one(Evaluation))


def delete(evaluation_id: int) -> Request[None]:
    """Delete an evaluation with its runs."""
    return Request(method="DELETE", path=_path(evaluation_id), decode=nothing)


def runs(evaluation_id: int, *, page_size: int | None = None) -> Listing[EvaluationRun]:
    """Iterate over the runs of an evaluation."""
    return paging.listing(
        Request(
            method="GET",
            path=f"{_path(evaluation_id)}runs/",
            params={"limit": page_size},
            decode=paging.rows_of(paging.of(EvaluationRun)),
        )
    )


def start_run(
    evaluation_id: int, *, rankings: Sequence[Ranking] | None = None, idempotency_key: str | None = None
) -> Request[EvaluationRun]:
    """Start a run."""
    return Request(
        method="POST",
        path=f"{_path(evaluation_id)}runs/",
        json=without_none(rankings=None if rankings is None else list(rankings)),
        headers=idempotency.headers(idempotency_key),
        decode=one(EvaluationRun),
    )


def get_run(evaluation_id: int, run_id: int) -> Request[EvaluationRun]:
    """Return a run."""
    return Request(method="GET", path=_run_path(evaluation_id, run_id), decode=one(EvaluationRun))


def delete_run(evaluation_id: int, run_id: int) -> Request[None]:
    """Delete a run."""
    return Request(method="DELETE", path=_run_path(evaluation_id, run_id), decode=nothing)


def cancel_run(evaluation_id: int, run_id: int) -> Request[EvaluationRun]:
    """Cancel a run."""
    path = f"{_run_path(evaluation_id, run_id)}cancel/"
    return Request(method="POST", path=path, repeatable=False, decode=one(EvaluationRun))


def compare_runs(evaluation_id: int, run_id: int, *, baseline: int) -> Request[Comparison]:
    """Compare a run with another of the same evaluation."""
    return Request(
        method="GET",
        path=f"{_run_path(evaluation_id, run_id)}comparison/",
        params={"baseline": int(baseline)},
        decode=one(Comparison),
    )


def run_questions(evaluation_id: int, run_id: int) -> Request[list[Question]]:
    """Return the questions of a run with the ranks of their relevant pages."""
    return Request(method="GET", path=f"{_run_path(evaluation_id, run_id)}questions/", decode=several(Question))


def _path(evaluation_id: int) -> str:
    return f"/evaluations/{int(evaluation_id)}/"


def _run_path(evaluation_id: int, run_id: int) -> str:
    return f"{_path(evaluation_id)}runs/{int(run_id)}/"
