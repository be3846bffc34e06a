"""Operations on webhook endpoints: create and change them, rotate their secrets, send tests, replay deliveries.

Each takes the owner's open transaction and the caller, whose key may be restricted to some collections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, lock_owner
from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.destination import check_without_lookup, parse_destination
from collections_app.engine.outbound.errors import FetchRefused
from collections_app.webhook_models import (
    DeliveryStatus,
    DisabledReason,
    WebhookDelivery,
    WebhookDeliveryQuerySet,
    WebhookEndpoint,
    WebhookEvent,
)
from collections_app.webhooks import keys, outbox
from collections_app.webhooks.errors import (
    TooManyWebhooks,
    WebhookDeliveryNotFound,
    WebhookDisabled,
    WebhookNotFound,
    WebhooksOutOfReach,
    WebhookURLRefused,
)
from paliapi.errors import Problem

_COLIVARA_EVENTS = (WebhookEvent.UPSERT_SUCCESS, WebhookEvent.UPSERT_FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointUpdate:
    """Changes to an endpoint; None leaves a field unchanged."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    enabled: bool | None = None


def visible_to(tx: OwnerTransaction, caller: Caller) -> QuerySet[WebhookEndpoint]:
    """Return the owner's endpoints. The key must reach all collections, because messages cover all of them."""
    if caller.collections is not None:
        raise WebhooksOutOfReach
    return WebhookEndpoint.objects.filter(owner_id=tx.owner_id)


def find(tx: OwnerTransaction, caller: Caller, endpoint_id: int) -> WebhookEndpoint:
    endpoint = visible_to(tx, caller).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookNotFound
    return endpoint


def create(
    tx: OwnerTransaction, caller: Caller, *, url: str, description: str, events: Sequence[str]
) -> WebhookEndpoint:
    """Create an endpoint. Its secret (`keys.secret_of`) is shown only in the response to this call."""
    _check_limit(tx, caller)
    _check_url(url)
    return _create(tx, caller, url=url, description=description, events=events, compatible=False)


def create_compatible(tx: OwnerTransaction, caller: Caller, *, url: str) -> WebhookEndpoint:
    """Create the endpoint that an account has in ColiVara, or change its URL if it exists."""
    _check_url(url)
    lock_owner(tx)
    endpoint = visible_to(tx, caller).filter(compatible=True).select_for_update().first()
    if endpoint is None:
        _check_limit(tx, caller)
        return _create(tx, caller, url=url, description="", events=_COLIVARA_EVENTS, compatible=True)
    return update(tx, caller, endpoint.pk, EndpointUpdate(url=url, enabled=True))


def update(tx: OwnerTransaction, caller: Caller, endpoint_id: int, changes: EndpointUpdate) -> WebhookEndpoint:
    """Change an endpoint. A new URL, or enabling it, resets its record of failures."""
    endpoint = _lock(tx, caller, endpoint_id)
    if changes.url is not None:
        _check_url(changes.url)
        endpoint.url = changes.url
    if changes.description is not None:
        endpoint.description = changes.description
    if changes.events is not None:
        endpoint.events = _in_order(changes.events)
    if changes.enabled is False:
        disable(endpoint, reason=DisabledReason.BY_REQUEST)
    elif changes.enabled or changes.url is not None:
        row = WebhookEndpoint.objects.filter(owner_id=tx.owner_id, pk=endpoint.pk)
        row.update(failures=0, failing_since=None, rest_until=Now())
        if changes.enabled:
            row.update(enabled=True, disabled_reason="", disabled_at=None)
    endpoint.updated_at = Now()
    endpoint.save(update_fields=["url", "description", "events", "updated_at"])
    return find(tx, caller, endpoint.pk)


def delete(tx: OwnerTransaction, caller: Caller, endpoint_id: int) -> None:
    """Delete an endpoint with all its deliveries."""
    _lock(tx, caller, endpoint_id).delete()


def rotate_secret(tx: OwnerTransaction, caller: Caller, endpoint_id: int, *, overlap: timedelta) -> WebhookEndpoint:
    """Give an endpoint a new secret. During the overlap, messages are signed with the old one too."""
    endpoint = _lock(tx, caller, endpoint_id)
    keys.renew_secret(endpoint, old_until=timezone.now() + overlap if overlap else None)
    endpoint.updated_at = Now()
    endpoint.save(update_fields=["salt", "pepper_id", "old_salt", "old_pepper_id", "old_until", "updated_at"])
    if endpoint.disabled_reason == DisabledReason.SECRET_LOST:
        return update(tx, caller, endpoint.pk, EndpointUpdate(enabled=True))
    return find(tx, caller, endpoint.pk)


def disable(endpoint: WebhookEndpoint, *, reason: DisabledReason) -> None:
    """Disable an endpoint. Pending messages wait until it is enabled again; no new ones are written."""
    rows = WebhookEndpoint.objects.filter(owner_id=endpoint.owner_id, pk=endpoint.pk, enabled=True)
    rows.update(enabled=False, disabled_reason=reason, disabled_at=Now(), updated_at=Now())


def send_test(tx: OwnerTransaction, caller: Caller, endpoint_id: int) -> WebhookDelivery:
    """Write a test message for an endpoint."""
    endpoint = _lock(tx, caller, endpoint_id)
    _require_enabled(tx, endpoint)
    return outbox.write_test(tx, endpoint)


def deliveries(tx: OwnerTransaction, caller: Caller, endpoint_id: int) -> WebhookDeliveryQuerySet:
    return WebhookDelivery.objects.filter(owner_id=tx.owner_id, endpoint=find(tx, caller, endpoint_id))


def find_delivery(tx: OwnerTransaction, caller: Caller, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    rows = deliveries(tx, caller, endpoint_id).filter(pk=delivery_id)
    delivery = rows.select_related("endpoint").first()
    if delivery is None:
        raise WebhookDeliveryNotFound
    return delivery


def replay(tx: OwnerTransaction, caller: Caller, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Send a message again with the same id, whatever its status. A pending one is tried now."""
    endpoint = _lock(tx, caller, endpoint_id)
    rows = deliveries(tx, caller, endpoint.pk).filter(pk=delivery_id)
    if not rows.exists():
        raise WebhookDeliveryNotFound
    _require_enabled(tx, endpoint)
    rows.unheld().update(next_try_at=Now(), attempts=0)
    finished = rows.exclude(status=DeliveryStatus.PENDING)
    finished.update(status=DeliveryStatus.PENDING, next_try_at=Now(), attempts=0, delivered_at=None)
    return rows.get()


def _require_enabled(tx: OwnerTransaction, endpoint: WebhookEndpoint) -> None:
    """Raise WebhookDisabled, or end the rest of a failing endpoint."""
    if not endpoint.enabled:
        raise WebhookDisabled
    WebhookEndpoint.objects.filter(owner_id=tx.owner_id, pk=endpoint.pk).update(rest_until=Now())


def _create(
    tx: OwnerTransaction, caller: Caller, *, url: str, description: str, events: Sequence[str], compatible: bool
) -> WebhookEndpoint:
    endpoint = WebhookEndpoint(
        owner_id=tx.owner_id, url=url, description=description, events=_in_order(events), compatible=compatible
    )
    keys.renew_secret(endpoint)
    endpoint.save(force_insert=True)
    return find(tx, caller, endpoint.pk)


def _lock(tx: OwnerTransaction, caller: Caller, endpoint_id: int) -> WebhookEndpoint:
    endpoint = visible_to(tx, caller).filter(pk=endpoint_id).select_for_update().first()
    if endpoint is None:
        raise WebhookNotFound
    return endpoint


def _in_order(events: Sequence[str]) -> list[str]:
    return [event for event in WebhookEvent.values if event in events]


def _check_limit(tx: OwnerTransaction, caller: Caller) -> None:
    rows = visible_to(tx, caller)
    lock_owner(tx)
    if rows.count() >= settings.ENV.max_webhooks:
        raise TooManyWebhooks(f"An account may have {settings.ENV.max_webhooks} webhooks.")


def _check_url(url: str) -> None:
    """Refuse a URL that would be refused when sending, as far as can be decided without a DNS lookup."""
    env = settings.ENV
    try:
        destination = parse_destination(url, ports=env.webhook_ports)
        check_without_lookup(destination, allow=AllowList.parse(env.webhook_allow))
    except FetchRefused:
        problem = Problem("/url", WebhookURLRefused.code, WebhookURLRefused.title)
        raise WebhookURLRefused(problems=(problem,)) from None
