"""Send the messages that are due: several at a time, each to another endpoint, for one slice of time.

The threads only wait for receivers. One thread claims messages and records results in the database.
"""

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from django.conf import settings
from django.utils import timezone

from collections_app import failpoints
from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.client import OutboundPolicy
from collections_app.engine.outbound.post import PostResult, post
from collections_app.engine.outbound.webhook_signature import signature_headers
from collections_app.webhook_models import DisabledReason
from collections_app.webhooks import deliveries, keys, messages
from collections_app.webhooks.deliveries import Claim

log = structlog.get_logger(__name__)

MAX_CONCURRENT = 8
# Well below the time that the queue allows for one task.
_SLICE_S = 30.0
_POLL_S = 0.25


def run() -> bool:
    """Send due messages for one slice, and return whether there are more."""
    deliveries.clean_up()
    in_flight: dict[Future[PostResult], Claim] = {}
    deadline = time.monotonic() + _SLICE_S
    with ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="webhook") as pool:
        while True:
            in_flight.update(_start(pool, limit=MAX_CONCURRENT - len(in_flight), deadline=deadline))
            if not in_flight:
                break
            # The timeout lets messages that become due start while slow receivers are still waited for.
            done, _ = wait(in_flight, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                failpoints.reach("webhook_answered")
                deliveries.record(in_flight.pop(future), _result(future))
    return deliveries.any_due()


def _start(pool: ThreadPoolExecutor, *, limit: int, deadline: float) -> Iterator[tuple[Future[PostResult], Claim]]:
    """Claim up to `limit` messages and start sending them."""
    for _ in range(limit):
        claim = deliveries.claim() if time.monotonic() < deadline else None
        if claim is None:
            return
        failpoints.reach("webhook_claimed")
        body = messages.serialize(claim.delivery)
        try:
            signing_keys = keys.signing_keys(claim.endpoint)
        except keys.SecretLost:
            deliveries.disable_endpoint(claim, reason=DisabledReason.SECRET_LOST)
            continue
        now = int(timezone.now().timestamp())
        headers = signature_headers(claim.delivery.name, body, timestamp=now, keys=signing_keys)
        env = settings.ENV
        policy = OutboundPolicy(allow=AllowList.parse(env.webhook_allow), ports=env.webhook_ports)
        url, timeout_s = claim.endpoint.url, float(env.webhook_timeout_s)
        yield pool.submit(post, url, body, headers=headers, policy=policy, timeout_s=timeout_s), claim


def _result(future: Future[PostResult]) -> PostResult:
    """Return the result; an unexpected error costs one message one attempt, and the others nothing."""
    try:
        return future.result()
    except Exception:
        log.exception("webhook_broke_off")
        return PostResult(failure="unreachable")
