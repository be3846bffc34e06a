"""Verbs on endpoints: make one, change it, give it a new secret, try it, read its log. Each begins with the caller."""

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
    Event,
    WebhookDelivery,
    WebhookDeliveryQuerySet,
    WebhookEndpoint,
    WhyDisabled,
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

COLIVARAS_EVENTS = (Event.UPSERT_SUCCESS, Event.UPSERT_FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different; None leaves a thing as it is."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    enabled: bool | None = None


def of(caller: Caller) -> QuerySet[WebhookEndpoint]:
    """All of the caller's owner, for a key that reaches all collections: messages tell of any of them."""
    if caller.collections is not None:
        raise WebhooksOutOfReach
    return WebhookEndpoint.objects.filter(owner_id=caller.owner_id)


def find(caller: Caller, endpoint_id: int) -> WebhookEndpoint:
    found = of(caller).filter(pk=endpoint_id).first()
    if found is None:
        raise WebhookNotFound
    return found


def create(
    tx: OwnerTransaction, caller: Caller, *, url: str, description: str, events: Sequence[str]
) -> WebhookEndpoint:
    """A new one; `keys.secret_of` it is shown this once."""
    _check_room(tx, caller)
    _check_url(url)
    return _made(caller, url=url, description=description, events=events, compatible=False)


def create_compatible(tx: OwnerTransaction, caller: Caller, *, url: str) -> WebhookEndpoint:
    """The one that an account has in ColiVara: made by the first call, given another URL by every later one."""
    _check_url(url)
    lock_owner(tx)
    found = _locked(of(caller).filter(compatible=True))
    if found is None:
        _check_room(tx, caller)
        return _made(caller, url=url, description="", events=COLIVARAS_EVENTS, compatible=True)
    return change(caller, found.pk, Change(url=url, enabled=True))


def change(caller: Caller, endpoint_id: int, change: Change) -> WebhookEndpoint:
    """Another address is a fresh start; so is being enabled."""
    endpoint = _locked_one(caller, endpoint_id)
    if change.url is not None:
        _check_url(change.url)
        endpoint.url = change.url
    if change.description is not None:
        endpoint.description = change.description
    if change.events is not None:
        endpoint.events = _in_order(change.events)
    if change.enabled is False:
        disable(endpoint, why=WhyDisabled.BY_REQUEST)
    elif change.enabled or change.url is not None:
        fresh = WebhookEndpoint.objects.filter(owner_id=endpoint.owner_id, pk=endpoint.pk)
        fresh.update(failures=0, failing_since=None, rest_until=Now())
        if change.enabled:
            fresh.update(enabled=True, disabled_reason="", disabled_at=None)
    endpoint.updated_at = Now()
    endpoint.save(update_fields=["url", "description", "events", "updated_at"])
    return find(caller, endpoint.pk)


def delete(caller: Caller, endpoint_id: int) -> None:
    """With all its deliveries."""
    _locked_one(caller, endpoint_id).delete()


def rotate(caller: Caller, endpoint_id: int, *, overlap: timedelta) -> WebhookEndpoint:
    """A new secret; for the time of the overlap messages are signed with the old one too."""
    endpoint = _locked_one(caller, endpoint_id)
    keys.renew(endpoint, old_until=timezone.now() + overlap if overlap else None)
    endpoint.updated_at = Now()
    endpoint.save(update_fields=["salt", "pepper_id", "old_salt", "old_pepper_id", "old_until", "updated_at"])
    if endpoint.disabled_reason == WhyDisabled.SECRET_LOST:
        return change(caller, endpoint.pk, Change(enabled=True))
    return find(caller, endpoint.pk)


def disable(endpoint: WebhookEndpoint, *, why: WhyDisabled) -> None:
    """What is pending waits until it is enabled again; nothing more is written for it meanwhile."""
    rows = WebhookEndpoint.objects.filter(owner_id=endpoint.owner_id, pk=endpoint.pk, enabled=True)
    rows.update(enabled=False, disabled_reason=why, disabled_at=Now(), updated_at=Now())


def send_test(caller: Caller, endpoint_id: int) -> WebhookDelivery:
    """Send it a message that is of no consequence."""
    endpoint = _locked_one(caller, endpoint_id)
    _awake(endpoint)
    return outbox.send_test(endpoint)


def deliveries(caller: Caller, endpoint_id: int) -> WebhookDeliveryQuerySet:
    return WebhookDelivery.objects.filter(owner_id=caller.owner_id, endpoint=find(caller, endpoint_id))


def replay(caller: Caller, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Send a message again, whatever became of it; it keeps its id. One that waits for its next try is tried now."""
    endpoint = _locked_one(caller, endpoint_id)
    rows = deliveries(caller, endpoint.pk).filter(pk=delivery_id)
    if not rows.exists():
        raise WebhookDeliveryNotFound
    _awake(endpoint)
    rows.unheld().update(next_try_at=Now(), attempts=0)
    ended = rows.exclude(status=DeliveryStatus.PENDING)
    ended.update(status=DeliveryStatus.PENDING, next_try_at=Now(), attempts=0, delivered_at=None)
    return rows.get()


def _awake(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise WebhookDisabled
    WebhookEndpoint.objects.filter(owner_id=endpoint.owner_id, pk=endpoint.pk).update(rest_until=Now())


def _made(caller: Caller, *, url: str, description: str, events: Sequence[str], compatible: bool) -> WebhookEndpoint:
    endpoint = WebhookEndpoint(
        owner_id=caller.owner_id, url=url, description=description, events=_in_order(events), compatible=compatible
    )
    keys.renew(endpoint)
    endpoint.save(force_insert=True)
    return find(caller, endpoint.pk)


def _locked_one(caller: Caller, endpoint_id: int) -> WebhookEndpoint:
    found = _locked(of(caller).filter(pk=endpoint_id))
    if found is None:
        raise WebhookNotFound
    return found


def _locked(rows: QuerySet[WebhookEndpoint]) -> WebhookEndpoint | None:
    return rows.select_for_update().first()


def _in_order(events: Sequence[str]) -> list[str]:
    return [event for event in Event.values if event in events]


def _check_room(tx: OwnerTransaction, caller: Caller) -> None:
    present = of(caller)
    lock_owner(tx)
    if present.count() >= settings.ENV.max_webhooks:
        raise TooManyWebhooks(f"An account may have {settings.ENV.max_webhooks} webhooks.")


def _check_url(url: str) -> None:
    """Refuse what would be refused when sending, as far as can be told without asking the network."""
    env = settings.ENV
    try:
        where = parse_destination(url, ports=env.webhook_ports)
        check_without_lookup(where, allow=AllowList.parse(env.webhook_allow))
    except FetchRefused:
        problem = Problem("/url", WebhookURLRefused.code, WebhookURLRefused.title)
        raise WebhookURLRefused(problems=(problem,)) from None
