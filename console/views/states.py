"""How far the latest upload of a document is, as people read it."""

from dataclasses import dataclass
from typing import Any

from console.problem_pages import advice_for

_LABELS = {
    "queued": "Waiting",
    "fetching": "Downloading",
    "rendering": "Rendering",
    "embedding": "Embedding",
    "ready": "Ready",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
# What an upload waits for, by the code of the error.
_WAITS = {
    "embeddings_unavailable": "the embeddings service, which cannot be reached",
    "embeddings_untrustworthy": "the embeddings service, which does not work",
    "fetch_unavailable": "the server of its URL, which cannot be reached",
    "sandbox_incomplete": "the operator, because this server cannot open files safely",
    "storage_unavailable": "the storage of files, which cannot be reached",
}
_OVER = ("ready", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of the latest upload. `total` is 0 until the number of pages is known."""

    status: str
    label: str
    done: int
    total: int
    waiting_for: str
    failure: str
    failed_page: int | None
    what_to_do: str

    @property
    def is_working(self) -> bool:
        return self.status not in _OVER

    @property
    def can_be_retried(self) -> bool:
        return self.status in ("failed", "cancelled") or bool(self.waiting_for)


def state_of(document: Any) -> State:
    """Return the state of a document that was read `with_state()`."""
    return state_of_job(document.latest)


def state_of_job(latest: Any) -> State:
    """Return the state of an upload; None: it is about to be queued."""
    error = (latest.error if latest else None) or {}
    status = latest.status if latest else "queued"
    waiting_for = latest.waiting_for if latest and status == "queued" else ""
    return State(
        status=status,
        label=_LABELS[status],
        done=latest.pages_done if latest else 0,
        total=(latest.pages_total if latest else None) or 0,
        waiting_for=_WAITS.get(waiting_for, waiting_for),
        failure=str(error.get("detail", "")) if status == "failed" else "",
        failed_page=error.get("page") if status == "failed" else None,
        what_to_do=advice_for(str(error.get("code", ""))) if status == "failed" else "",
    )
