"""Whose message is sent next, and what is kept of an attempt.

A claim in the row says who sends a message, so that no two do at once; who was taken for dead records nothing. An
endpoint gets one message at a time, and owners take turns, so nobody who is slow holds the others back.
"""

import os
import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine import process_name
from collections_app.engine.outbound.post import PostResult
from collections_app.webhook_models import DeliveryStatus, WebhookDelivery, WebhookEndpoint, WhyDisabled
from collections_app.webhooks import endpoints

log = structlog.get_logger(__name__)

# What Standard Webhooks proposes: three days and a bit. The first attempt is at once.
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
MOST_ATTEMPTS = len(PAUSES) + 1
LEASE = timedelta(minutes=2)  # longer than any attempt may take
_JITTER = (0.9, 1.1)
_LONGEST_REST_S = 300
_LONGEST_RETRY_AFTER_S = 3600
_MOST_OF_AN_OWNER = 4
_CANDIDATES = 20
_GONE = 410
_FORGOTTEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message, once."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    token: UUID


def claim() -> Claim | None:
    """Take the message whose turn it is; None when none is due. The attempt is counted before it is made."""
    with acting_as_staff():
        for endpoint_id in _endpoints_in_turn():
            endpoint = (
                _endpoints_awake().filter(pk=endpoint_id).select_for_update(no_key=True, skip_locked=True).first()
            )
            # Under its lock nobody else claims for it, so this look is the one that counts.
            of_endpoint = WebhookDelivery.objects.filter(endpoint_id=endpoint_id)
            if endpoint is None or of_endpoint.held().exists():
                continue
            due = of_endpoint.due().filter(attempts__lt=MOST_ATTEMPTS)
            delivery = due.order_by("next_try_at", "pk").select_for_update().first()
            if delivery is not None:
                return _claimed(delivery, endpoint)
    return None


def _claimed(delivery: WebhookDelivery, endpoint: WebhookEndpoint) -> Claim:
    token = uuid4()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        lease_token=token,
        lease_until=Now() + LEASE,
        lease_holder=process_name.name_of(os.getpid()),
        attempted_at=Now(),
        attempts=F("attempts") + 1,
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(claimed_at=Now())
    delivery.attempts += 1
    return Claim(delivery, endpoint, token)


def _endpoints_awake() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(enabled=True, rest_until__lte=Now())


def _endpoints_in_turn() -> QuerySet[WebhookEndpoint, int]:
    """Endpoints for which something is due: first those of the owner with least on its way, then of the one whose
    last turn is longest ago."""
    mine = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"))
    # Only what is pending is ever held; left unsaid, so that the small index over what is held is enough.
    of_owner = WebhookDelivery.objects.filter(owner=OuterRef("owner"), lease_until__gt=Now())
    running = of_owner.order_by().values("owner").annotate(n=Count("pk")).values("n")
    siblings = WebhookEndpoint.objects.filter(owner=OuterRef("owner")).order_by().values("owner")
    return (
        _endpoints_awake()
        .filter(Exists(mine.due().filter(attempts__lt=MOST_ATTEMPTS)), ~Exists(mine.held()))
        .annotate(
            running=Coalesce(Subquery(running), 0),
            owners_last=Subquery(siblings.annotate(last=Max("claimed_at")).values("last")),
        )
        .filter(running__lt=_MOST_OF_AN_OWNER)
        .order_by("running", F("owners_last").asc(nulls_first=True), F("claimed_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:_CANDIDATES]
    )


def are_due() -> bool:
    """Whether there is anything to send now."""
    with acting_as_staff():
        return _endpoints_in_turn().exists()


def record(claim: Claim, receipt: PostResult) -> None:
    """Keep what came of an attempt, if it is still ours to say; and what it says of the endpoint."""
    owner_id = claim.delivery.owner_id
    with acting_for(owner_id):
        # In the order of everybody: the endpoint first.
        rows = WebhookEndpoint.objects.filter(owner_id=owner_id, pk=claim.endpoint.pk)
        endpoint = rows.select_for_update(no_key=True).first()
        mine = WebhookDelivery.objects.filter(owner_id=owner_id, pk=claim.delivery.pk, lease_token=claim.token)
        changes = _delivered() if receipt.delivered else _next_try(claim, receipt)
        kept = mine.pending().update(
            **changes,
            lease_token=None,
            lease_until=None,
            took_ms=receipt.took_ms,
            response_status=receipt.status,
            response_body=receipt.text,
            error=receipt.failure,
        )
        if endpoint is not None and kept:
            _note(endpoint, receipt)
    log.info(
        "webhook_sent" if receipt.delivered else "webhook_not_delivered",
        delivery=claim.delivery.pk,
        endpoint=claim.endpoint.pk,
        attempt=claim.delivery.attempts,
        status=receipt.status,
        error=receipt.failure,
        took_ms=receipt.took_ms,
        recorded=bool(kept),
    )


def let_go(claim: Claim, *, why: WhyDisabled) -> None:
    """Nothing can be sent to this endpoint at all; the attempt does not count."""
    owner_id = claim.delivery.owner_id
    with acting_for(owner_id):
        endpoints.disable(claim.endpoint, why=why)
        mine = WebhookDelivery.objects.filter(owner_id=owner_id, pk=claim.delivery.pk, lease_token=claim.token)
        mine.update(lease_token=None, lease_until=None, attempts=F("attempts") - 1)
    log.warning("webhook_disabled", endpoint=claim.endpoint.pk, why=str(why))


def _delivered() -> dict[str, object]:
    return {"status": DeliveryStatus.DELIVERED, "delivered_at": Now()}


def _next_try(claim: Claim, receipt: PostResult) -> dict[str, object]:
    attempts = claim.delivery.attempts
    if attempts >= MOST_ATTEMPTS:
        return {"status": DeliveryStatus.FAILED}
    pause_s = PAUSES[attempts - 1].total_seconds() * random.uniform(*_JITTER)  # noqa: S311 - jitter
    asked_s = min(receipt.retry_after_s or 0.0, _LONGEST_RETRY_AFTER_S)
    return {"next_try_at": Now() + timedelta(seconds=max(pause_s, asked_s))}


def _note(endpoint: WebhookEndpoint, receipt: PostResult) -> None:
    """One that fails rests longer and longer, so that a backlog for it costs little; in the end it is disabled."""
    rows = WebhookEndpoint.objects.filter(owner_id=endpoint.owner_id, pk=endpoint.pk)
    if receipt.delivered:
        if endpoint.failures:
            rows.update(failures=0, failing_since=None, rest_until=Now())
        return
    rest_s = min(2 ** min(endpoint.failures, 10), _LONGEST_REST_S)
    since = endpoint.failing_since or timezone.now()
    rows.update(failures=F("failures") + 1, failing_since=since, rest_until=Now() + timedelta(seconds=rest_s))
    why = None
    if receipt.status == _GONE:
        why = WhyDisabled.GONE
    elif since <= timezone.now() - timedelta(days=settings.ENV.webhook_disable_days):
        why = WhyDisabled.FAILING
    if why is not None:
        endpoints.disable(endpoint, why=why)
        log.warning("webhook_disabled", endpoint=endpoint.pk, why=str(why))


def free_abandoned() -> None:
    """What processes of this machine held that are no more is free at once; what was tried too often, is over."""
    with acting_as_staff():
        held = WebhookDelivery.objects.held().exclude(lease_holder="").values_list("pk", "lease_token", "lease_holder")
        for pk, token, holder in held:
            if process_name.is_gone(holder):
                WebhookDelivery.objects.filter(pk=pk, lease_token=token).update(lease_token=None, lease_until=None)
        tried = WebhookDelivery.objects.unheld().filter(attempts__gte=MOST_ATTEMPTS)
        tried.update(status=DeliveryStatus.FAILED, lease_token=None, lease_until=None)


def forget_old() -> int:
    """Delete deliveries that are older than they are kept for, so many at once."""
    aged = Q(created_at__lt=timezone.now() - timedelta(days=settings.ENV.webhook_retention_days))
    with acting_as_staff():
        old = WebhookDelivery.objects.filter(aged).order_by("created_at").values("pk")[:_FORGOTTEN_AT_ONCE]
        deleted, _ = WebhookDelivery.objects.filter(pk__in=old).delete()
    return deleted
