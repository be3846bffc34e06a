"""Evaluations and runs for tests, created through the API, and the worker that runs them."""

from typing import Any

from collections_app.evaluations import worker
from tests.cast import Someone

QUESTIONS = [{"id": "q1", "text": "tallest lighthouse", "relevant": [{"document_name": "sea.pdf", "page_number": 1}]}]


def create_evaluation(
    who: Someone, questions: list[dict[str, Any]] = QUESTIONS, *, collection: str = "default_collection"
) -> int:
    body = {"name": "Lights", "collection_name": collection, "questions": questions}
    created = who.post("/v1/evaluations/", body)
    assert created.status_code == 201, created.content
    return int(created.json()["id"])


def start_run(who: Someone, evaluation: int, **body: Any) -> dict[str, Any]:
    started = who.post(f"/v1/evaluations/{evaluation}/runs/", body)
    assert started.status_code == 202, started.content
    return dict(started.json())


def create_run(who: Someone, *, collection: str = "default_collection") -> dict[str, Any]:
    """Create an evaluation, and queue a run of it."""
    return start_run(who, create_evaluation(who, collection=collection))


def run_all(*, max_turns: int = 20) -> None:
    """Run a worker until no run is due."""
    for _ in range(max_turns):
        if not worker.run():
            return
    raise AssertionError("The worker never ran out of work.")


def get_run(who: Someone, run: dict[str, Any]) -> dict[str, Any]:
    return dict(who.get(f"/v1/evaluations/{run['evaluation_id']}/runs/{run['id']}/").json())
