"""Operations on jobs."""

from __future__ import annotations

from typing import Literal

from paliapi_client.flows import paging
from paliapi_client.flows.readers import one
from paliapi_client.flows.steps import Listing, Request
from paliapi_client.models.documents import Backlog, Job

Status = Literal["queued", "fetching", "rendering", "embedding", "failed", "cancelled"]


def list_all(
    *, collection_name: str | None = None, status: Status | None = None, page_size: int | None = None
) -> Listing[Job]:
    """Iterate over the jobs of all documents whose latest upload is not ready."""
    return paging.listing(
        Request(
            method="GET",
            path="/jobs/",
            params={"collection_name": collection_name, "status": status, "limit": page_size},
            decode=paging.rows_of(paging.of(Job)),
        )
    )


def progress() -> Request[Backlog]:
    """Return how much is left to process, and how long it will take."""
    return Request(method="GET", path="/progress/", decode=one(Backlog))
