"""The verb that sends what is due: several messages at a time, each to another endpoint, for one turn.

Threads only wait for receivers. What is claimed, and what is kept of an attempt, is done here, by one.
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
from collections_app.webhook_models import WhyDisabled
from collections_app.webhooks import deliveries, keys, messages
from collections_app.webhooks.deliveries import Claim

log = structlog.get_logger(__name__)

AT_ONCE = 8
# Then the queue may have another look; well within the time that it gives to one task.
_TURN_S = 30.0
_LOOK_AGAIN_S = 0.25


def run() -> bool:
    """Send what is due, for the length of one turn; whether there is more to do."""
    deliveries.free_abandoned()
    on_their_way: dict[Future[PostResult], Claim] = {}
    until = time.monotonic() + _TURN_S
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as threads:
        while True:
            on_their_way.update(_begun(threads, room=AT_ONCE - len(on_their_way), until=until))
            if not on_their_way:
                break
            # What becomes due meanwhile need not wait for who is slow.
            done, _ = wait(on_their_way, timeout=_LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
            for sending in done:
                failpoints.reach("webhook_answered")
                deliveries.record(on_their_way.pop(sending), _receipt(sending))
    return deliveries.are_due()


def _begun(threads: ThreadPoolExecutor, *, room: int, until: float) -> Iterator[tuple[Future[PostResult], Claim]]:
    for _ in range(room):
        claim = deliveries.claim() if time.monotonic() < until else None
        if claim is None:
            return
        failpoints.reach("webhook_claimed")
        body = messages.body_of(claim.delivery)
        try:
            signing = keys.signing_keys(claim.endpoint)
        except keys.SecretLost:
            deliveries.let_go(claim, why=WhyDisabled.SECRET_LOST)
            continue
        now = int(timezone.now().timestamp())
        headers = signature_headers(claim.delivery.name, body, timestamp=now, keys=signing)
        env = settings.ENV
        policy = OutboundPolicy(allow=AllowList.parse(env.webhook_allow), ports=env.webhook_ports)
        url, timeout_s = claim.endpoint.url, float(env.webhook_timeout_s)
        yield threads.submit(post, url, body, headers=headers, policy=policy, timeout_s=timeout_s), claim


def _receipt(sending: Future[PostResult]) -> PostResult:
    """An error of ours costs one message one attempt, and the others nothing."""
    try:
        return sending.result()
    except Exception:
        log.exception("webhook_broke_off")
        return PostResult(failure="unreachable")
