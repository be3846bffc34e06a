"""What requests cost, and the budgets of keys and owners that pay for them.

A unit is about as much work as a simple request. Every request pays the cost of its operation before its body is read,
and the cost of its options before they take effect. A key and its owner pay with the same call to Redis.
"""

import hashlib
import math
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.access import Caller
from accounts.rate_limits import Bucket, Payment, RateLimited, Slot, spend_from
from paliapi.http.response_headers import set_response_headers

if TYPE_CHECKING:
    # Importing views makes the framework import this module, which the settings name.
    from rest_framework.views import APIView

# What a request that takes long costs, if its options cost less.
UNITS_PER_SECOND = 40
_MAX_REMEMBERED = 10_000
# A list reveals only afterwards how long it is. So many full buckets may be owed for it.
_FULL_BUCKETS_OWED = 2


class KeyRate(BaseThrottle):
    """Charges the cost of the operation to the key and its owner, and takes the slot that the operation needs."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.auth, Caller):
            slot: Slot | None = getattr(view, "slot", None)
            charge(request, request.auth, cost_of(view, request.method or ""), slot=slot)
        return True


def cost_of(view: "type[APIView] | APIView", method: str) -> int:
    """Return the units of a method of a view; one for a method that the view does not have."""
    costs: dict[str, int] = getattr(view, "costs", {})
    return costs.get("GET" if method == "HEAD" else method, 1)


def charge(request: Request, caller: Caller, units: int, *, slot: Slot | None = None) -> None:
    """Take the units from the budgets of the key and its owner, or raise RateLimited and take nothing.

    The same call takes the slot; whether it was refused is up to the caller of this function.
    """
    payment = spend_from(_buckets(caller), cost=units, slot=slot)
    if payment is None:
        return
    _announce(request, payment)
    if not payment.allowed:
        if payment.empty_for_s:
            _overspent.add(request, for_s=payment.empty_for_s)
        raise RateLimited(retry_after_s=payment.wait_s)


def owe(request: Request, caller: Caller, units: int) -> None:
    """Take the units even if the budgets lack them: later requests wait until they are paid."""
    if payment := spend_from(_buckets(caller), cost=units, owing=True):
        _announce(request, payment)


def refuse_overspent(request: Request) -> None:
    """Raise RateLimited if the presented key cannot pay for any request yet. It costs neither database nor Redis."""
    left_s = _overspent.left_s(request)
    if left_s > 0:
        raise RateLimited(retry_after_s=left_s)


def _buckets(caller: Caller) -> tuple[Bucket, Bucket]:
    env = settings.ENV
    factor = env.rate_owner_factor
    key = Bucket(
        name=f"key:{caller.key_id}" if caller.key_id else f"sessions:{caller.owner_id}",
        per_minute=env.rate_per_minute,
        burst=env.rate_burst,
        debt=_FULL_BUCKETS_OWED * env.rate_burst,
    )
    owner = Bucket(
        name=f"owner:{caller.owner_id}",
        per_minute=factor * key.per_minute,
        burst=factor * key.burst,
        debt=factor * key.debt,
    )
    return key, owner


def _announce(request: Request, payment: Payment) -> None:
    """Send the balances as headers (draft-ietf-httpapi-ratelimit-headers)."""
    rate, burst, factor = settings.ENV.rate_per_minute, settings.ENV.rate_burst, settings.ENV.rate_owner_factor
    window_s = math.ceil(burst * 60 / rate)
    key, owner = payment.balances
    headers = {
        "RateLimit-Policy": f'"key";q={burst};w={window_s}, "owner";q={factor * burst};w={window_s}',
        "RateLimit": f'"key";r={key.left};t={math.ceil(key.full_in_s)}, '
        f'"owner";r={owner.left};t={math.ceil(owner.full_in_s)}',
    }
    set_response_headers(request, headers)


class _Overspent:
    """The keys that have nothing left, by a digest of what was presented, and until when; in this process only."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def add(self, request: Request, *, for_s: float) -> None:
        with self._lock:
            self._until[_digest(request)] = time.monotonic() + for_s
            while len(self._until) > _MAX_REMEMBERED:
                self._until.popitem(last=False)

    def left_s(self, request: Request) -> float:
        if not self._until:
            return 0
        digest = _digest(request)
        left_s = self._until.get(digest, 0) - time.monotonic()
        if left_s <= 0:
            self._until.pop(digest, None)
        return left_s


def _digest(request: Request) -> bytes:
    return hashlib.sha256(request.headers.get("Authorization", "").encode("utf-8", "surrogatepass")).digest()


_overspent = _Overspent()
