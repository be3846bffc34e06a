"""Operations on collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from paliapi_client.flows import idempotency, paging
from paliapi_client.flows.readers import nothing, one, versioned
from paliapi_client.flows.steps import Listing, Request
from paliapi_client.models.collections import Collection, Quality
from paliapi_client.operations.bodies import without_none
from paliapi_client.operations.paths import quoted


def create(
    name: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    vector_storage: Literal["full", "compact"] | None = None,
    idempotency_key: str | None = None,
) -> Request[Collection]:
    """Create a collection."""
    return Request(
        method="POST",
        path="/collections/",
        json=without_none(name=name, metadata=metadata, vector_storage=vector_storage),
        headers=idempotency.headers(idempotency_key),
        decode=one(Collection),
    )


def list_all(*, page_size: int | None = None) -> Listing[Collection]:
    """Iterate over all collections."""
    return paging.listing(
        Request(
            method="GET",
            path="/collections/",
            params={"limit": page_size},
            decode=paging.rows_of(paging.of(Collection)),
        )
    )


def get(name: str) -> Request[Collection]:
    """Return a collection."""
    return Request(method="GET", path=f"/collections/{quoted(name)}/", decode=versioned(Collection))


def update(
    name: str,
    *,
    new_name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    if_match: str | None = None,
) -> Request[Collection]:
    """Rename a collection, or replace its metadata; with `if_match`, only if its `etag` is still that."""
    return Request(
        method="PATCH",
        path=f"/collections/{quoted(name)}/",
        json=without_none(name=new_name, metadata=metadata),
        headers={"If-Match": if_match},
        # A second rename would not find the collection.
        repeatable=if_match is None and new_name is None,
        decode=versioned(Collection),
    )


def delete(name: str, *, if_match: str | None = None) -> Request[None]:
    """Delete a collection with its documents."""
    return Request(
        method="DELETE", path=f"/collections/{quoted(name)}/", headers={"If-Match": if_match}, decode=nothing
    )


def quality(name: str) -> Request[Quality]:
    """Return the recall of the searches of a collection."""
    return Request(method="GET", path=f"/collections/{quoted(name)}/quality/", decode=one(Quality))
