"""Operations on keys, usage, and the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from paliapi_client.flows import paging
from paliapi_client.flows.readers import nothing, one
from paliapi_client.flows.steps import Listing, Request
from paliapi_client.models.accounts import Health, Key, Me, NewKey, Usage
from paliapi_client.operations.bodies import without_none

Scope = Literal["read", "write", "search", "admin"]


def list_keys(*, page_size: int | None = None) -> Listing[Key]:
    """Iterate over the keys of the account."""
    return paging.listing(
        Request(method="GET", path="/keys/", params={"limit": page_size}, decode=paging.rows_of(paging.of(Key)))
    )


def create_key(
    name: str,
    *,
    scopes: Sequence[Scope],
    collections: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> Request[NewKey]:
    """Create a key, which cannot do more than the one in use. Its `key` is shown only now."""
    body = without_none(
        name=name,
        scopes=list(scopes),
        collections=None if collections is None else list(collections),
        expires_at=None if expires_at is None else _instant(expires_at),
    )
    return Request(method="POST", path="/keys/", json=body, repeatable=False, decode=one(NewKey))


def rotate_key(key_id: int, *, overlap_hours: int | None = None) -> Request[NewKey]:
    """Replace a key by a new one; the old one works for some more hours."""
    return Request(
        method="POST",
        path=f"/keys/{int(key_id)}/rotate/",
        json=without_none(overlap_hours=overlap_hours),
        repeatable=False,
        decode=one(NewKey),
    )


def revoke_key(key_id: int, *, with_descendants: bool = False) -> Request[None]:
    """Revoke a key immediately, and with `with_descendants` all that it created, directly or not."""
    params = {"with": "descendants" if with_descendants else None}
    return Request(method="DELETE", path=f"/keys/{int(key_id)}/", params=params, decode=nothing)


def me() -> Request[Me]:
    """Return what the key in use may do."""
    return Request(method="GET", path="/me/", decode=one(Me))


def usage() -> Request[Usage]:
    """Return what the account uses, and its quotas and limits."""
    return Request(method="GET", path="/usage/", decode=one(Usage))


def health() -> Request[Health]:
    """Return the state of the server; needs no key."""
    return Request(method="GET", path="/health/", decode=one(Health))


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("The time needs a time zone.")
    return moment.isoformat()
