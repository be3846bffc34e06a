"""Claim the next message to send, and record the result of an attempt.

A lease in the row ensures that no two processes send a message at once; a process that was presumed dead records
nothing. An endpoint gets one message at a time, and owners take turns, so no slow receiver holds up the others. The
messages of a deactivated owner wait until the owner is active again.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from accounts.ownership import OwnerTransaction, acting_as_housekeeping, acting_for
from collections_app.engine.outbound.post import PostResult
from collections_app.owned import NO_LEASE
from collections_app.webhook_models import (
    DeliveryStatus,
    DisabledReason,
    WebhookDelivery,
    WebhookDeliveryQuerySet,
    WebhookEndpoint,
)
from collections_app.webhooks import endpoints
from paliapi.database import ConstantQuery

log = structlog.get_logger(__name__)

# As Standard Webhooks recommends: a little more than three days. The first attempt is immediate.
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
MAX_ATTEMPTS = len(PAUSES) + 1
LEASE_DURATION = timedelta(minutes=2)  # longer than any attempt may take
_JITTER = (0.9, 1.1)
_MAX_REST_S = 300
_MAX_RETRY_AFTER_S = 3600
_MAX_PER_OWNER = 4
_CANDIDATES = 20
_GONE = 410
_DELETED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message once."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    token: UUID


@dataclass(frozen=True, slots=True)
class _Lease:
    """A leased message, as much of it as housekeeping sees."""

    delivery_id: int
    owner_id: int
    token: UUID


def claim() -> Claim | None:
    """Lease the next message in fair order; None if none is due. The attempt is counted before it is made."""
    with transaction.atomic():
        with acting_as_housekeeping():
            leased = _lease_next()
        if leased is None:
            return None
        # Housekeeping does not see what is in a message. The lease locks both rows until the end of the transaction.
        with acting_for(leased.owner_id) as tx:
            rows = WebhookDelivery.objects.select_related("endpoint").filter(owner_id=tx.owner_id)
            delivery = rows.get(pk=leased.delivery_id)
    return Claim(delivery, delivery.endpoint, leased.token)


def _lease_next() -> _Lease | None:
    for endpoint_id in _endpoints_in_fair_order():
        rows = _ready_endpoints().filter(pk=endpoint_id).only("pk")
        endpoint = rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
        # Only the holder of this lock claims messages of the endpoint, so this check is authoritative.
        of_endpoint = WebhookDelivery.objects.filter(endpoint_id=endpoint_id)
        if endpoint is None or of_endpoint.held().exists():
            continue
        due = of_endpoint.due().filter(attempts__lt=MAX_ATTEMPTS).only("pk", "owner_id")
        delivery = due.order_by("next_try_at", "pk").select_for_update().first()
        if delivery is not None:
            row = WebhookDelivery.objects.filter(pk=delivery.pk)
            token = row.lease(LEASE_DURATION, attempted_at=Now(), attempts=F("attempts") + 1)
            WebhookEndpoint.objects.filter(pk=endpoint_id).update(claimed_at=Now())
            return _Lease(delivery.pk, delivery.owner_id, token)
    return None


def _ready_endpoints() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(enabled=True, rest_until__lte=Now(), owner__is_active=True)


def _endpoints_in_fair_order() -> QuerySet[WebhookEndpoint, int]:
    """Return endpoints with due messages: the owner with fewest in flight first, then the one served longest ago."""
    of_endpoint = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"))
    # Only pending messages are ever held. The status is left out so that the small index on held rows suffices.
    in_flight = WebhookDelivery.objects.filter(owner=OuterRef("owner"), lease_until__gt=Now())
    siblings = WebhookEndpoint.objects.filter(owner=OuterRef("owner")).order_by().values("owner")
    return (
        _ready_endpoints()
        .filter(Exists(of_endpoint.due().filter(attempts__lt=MAX_ATTEMPTS)), ~Exists(of_endpoint.held()))
        .annotate(
            running=in_flight.count_per_owner(),
            owner_last_claim=Subquery(siblings.annotate(last=Max("claimed_at")).values("last")),
        )
        .filter(running__lt=_MAX_PER_OWNER)
        .order_by("running", F("owner_last_claim").asc(nulls_first=True), F("claimed_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:_CANDIDATES]
    )


_READY_ENDPOINTS = ConstantQuery(_endpoints_in_fair_order)


def any_due() -> bool:
    """Return whether a message could be sent now."""
    with acting_as_housekeeping():
        return bool(_READY_ENDPOINTS.rows())


def record(claim: Claim, result: PostResult) -> None:
    """Record the result of an attempt, and what it says about the endpoint, if the lease still holds."""
    with acting_for(claim.delivery.owner_id) as tx:
        # Every transaction locks the endpoint before its deliveries.
        rows = WebhookEndpoint.objects.filter(owner_id=tx.owner_id, pk=claim.endpoint.pk)
        endpoint = rows.select_for_update(no_key=True).first()
        changes = _delivered() if result.delivered else _next_try(claim, result)
        recorded = (
            _claimed_row(tx, claim)
            .pending()
            .update(
                **changes,
                **NO_LEASE,
                took_ms=result.took_ms,
                response_status=result.status,
                response_body=result.text,
                error=result.failure,
            )
        )
        if endpoint is not None and recorded:
            _update_health(tx, endpoint, result)
    log.info(
        "webhook_sent" if result.delivered else "webhook_not_delivered",
        delivery=claim.delivery.pk,
        endpoint=claim.endpoint.pk,
        attempt=claim.delivery.attempts,
        status=result.status,
        error=result.failure,
        took_ms=result.took_ms,
        recorded=bool(recorded),
    )


def disable_endpoint(claim: Claim, *, reason: DisabledReason) -> None:
    """Disable an endpoint to which nothing can be sent, and release the message without counting the attempt."""
    with acting_for(claim.delivery.owner_id) as tx:
        endpoints.disable(claim.endpoint, reason=reason)
        _claimed_row(tx, claim).update(**NO_LEASE, attempts=F("attempts") - 1)
    log.warning("webhook_disabled", endpoint=claim.endpoint.pk, why=str(reason))


def _claimed_row(tx: OwnerTransaction, claim: Claim) -> WebhookDeliveryQuerySet:
    return WebhookDelivery.objects.filter(owner_id=tx.owner_id, pk=claim.delivery.pk, lease_token=claim.token)


def _delivered() -> dict[str, object]:
    return {"status": DeliveryStatus.DELIVERED, "delivered_at": Now()}


def _next_try(claim: Claim, result: PostResult) -> dict[str, object]:
    attempts = claim.delivery.attempts
    if attempts >= MAX_ATTEMPTS:
        return {"status": DeliveryStatus.FAILED}
    pause_s = PAUSES[attempts - 1].total_seconds() * random.uniform(*_JITTER)  # noqa: S311 - jitter
    retry_after_s = min(result.retry_after_s or 0.0, _MAX_RETRY_AFTER_S)
    return {"next_try_at": Now() + timedelta(seconds=max(pause_s, retry_after_s))}


def _update_health(tx: OwnerTransaction, endpoint: WebhookEndpoint, result: PostResult) -> None:
    """Rest a failing endpoint longer each time, so that its backlog costs little, and in the end disable it."""
    rows = WebhookEndpoint.objects.filter(owner_id=tx.owner_id, pk=endpoint.pk)
    if result.delivered:
        if endpoint.failures:
            rows.update(failures=0, failing_since=None, rest_until=Now())
        return
    rest_s = min(2 ** min(endpoint.failures, 10), _MAX_REST_S)
    since = endpoint.failing_since or timezone.now()
    rows.update(failures=F("failures") + 1, failing_since=since, rest_until=Now() + timedelta(seconds=rest_s))
    reason = None
    if result.status == _GONE:
        reason = DisabledReason.GONE
    elif since <= timezone.now() - timedelta(days=settings.ENV.webhook_disable_days):
        reason = DisabledReason.FAILING
    if reason is not None:
        endpoints.disable(endpoint, reason=reason)
        log.warning("webhook_disabled", endpoint=endpoint.pk, why=str(reason))


def clean_up() -> None:
    """End the leases of dead processes of this machine, and fail the messages that used up their attempts."""
    with acting_as_housekeeping():
        WebhookDelivery.objects.free_abandoned()
        exhausted = WebhookDelivery.objects.unheld().filter(attempts__gte=MAX_ATTEMPTS)
        exhausted.update(status=DeliveryStatus.FAILED, **NO_LEASE)


def delete_old() -> int:
    """Delete deliveries beyond the retention time, a limited number at once, and return how many."""
    aged = Q(created_at__lt=timezone.now() - timedelta(days=settings.ENV.webhook_retention_days))
    with acting_as_housekeeping():
        old = WebhookDelivery.objects.filter(aged).order_by("created_at").values("pk")[:_DELETED_AT_ONCE]
        deleted, _ = WebhookDelivery.objects.filter(pk__in=old).delete()
    return deleted
