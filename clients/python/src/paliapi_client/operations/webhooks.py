"""Operations on webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from paliapi_client.flows import paging
from paliapi_client.flows.readers import nothing, one
from paliapi_client.flows.steps import Listing, Request
from paliapi_client.models.webhooks import Delivery, Webhook, WebhookWithSecret
from paliapi_client.operations.bodies import without_none

Event = Literal["document.ready", "document.failed", "document.cancelled", "upsert.success", "upsert.fail"]
DeliveryStatus = Literal["pending", "delivered", "failed"]


def list_all(*, page_size: int | None = None) -> Listing[Webhook]:
    """Iterate over all webhooks."""
    return paging.listing(
        Request(method="GET", path="/webhooks/", params={"limit": page_size}, decode=paging.rows_of(paging.of(Webhook)))
    )


def create(
    url: str, *, description: str | None = None, events: Sequence[Event] | None = None
) -> Request[WebhookWithSecret]:
    """Create a webhook. Its `secret` is shown only now."""
    body = without_none(url=url, description=description, events=None if events is None else list(events))
    return Request(method="POST", path="/webhooks/", json=body, repeatable=False, decode=one(WebhookWithSecret))


def get(webhook_id: int) -> Request[Webhook]:
    """Return a webhook."""
    return Request(method="GET", path=_path(webhook_id), decode=one(Webhook))


def update(
    webhook_id: int,
    *,
    url: str | None = None,
    description: str | None = None,
    events: Sequence[Event] | None = None,
    enabled: bool | None = None,
) -> Request[Webhook]:
    """Change a webhook."""
    body = without_none(
        url=url, description=description, events=None if events is None else list(events), enabled=enabled
    )
    return Request(method="PATCH", path=_path(webhook_id), json=body, decode=one(Webhook))


def delete(webhook_id: int) -> Request[None]:
    """Delete a webhook."""
    return Request(method="DELETE", path=_path(webhook_id), decode=nothing)


def rotate_secret(webhook_id: int, *, overlap_hours: int | None = None) -> Request[WebhookWithSecret]:
    """Replace the secret; for some hours messages are signed with both."""
    return Request(
        method="POST",
        path=f"{_path(webhook_id)}rotate-secret/",
        json=without_none(overlap_hours=overlap_hours),
        repeatable=False,
        decode=one(WebhookWithSecret),
    )


def test(webhook_id: int) -> Request[Delivery]:
    """Send a test message."""
    return Request(method="POST", path=f"{_path(webhook_id)}test/", repeatable=False, decode=one(Delivery))


def deliveries(
    webhook_id: int, *, status: DeliveryStatus | None = None, page_size: int | None = None
) -> Listing[Delivery]:
    """Iterate over the messages of a webhook, the newest first."""
    return paging.listing(
        Request(
            method="GET",
            path=f"{_path(webhook_id)}deliveries/",
            params={"status": status, "limit": page_size},
            decode=paging.rows_of(paging.of(Delivery)),
        )
    )


def replay(webhook_id: int, delivery_id: int) -> Request[Delivery]:
    """Send a message again."""
    path = f"{_path(webhook_id)}deliveries/{int(delivery_id)}/replay/"
    return Request(method="POST", path=path, repeatable=False, decode=one(Delivery))


def _path(webhook_id: int) -> str:
    return f"/webhooks/{int(webhook_id)}/"
