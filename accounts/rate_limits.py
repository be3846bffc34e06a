"""Rate limits for keys, and limits on how much an owner may run concurrently.

Both are counted in Redis by atomic scripts, with the time of Redis. `accounts.redis_counters` explains what happens
when Redis is unavailable.
"""

import math
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.access import Caller
from accounts.redis_counters import limiter
from paliapi.errors import LimitReached
from paliapi.http.response_headers import set_response_headers

if TYPE_CHECKING:
    # Importing views makes the framework import this module, which the settings name.
    from rest_framework.views import APIView

Kind = Literal["search", "stream", "upload"]

# A slot that was never released, because its process was killed, is free again after this time. For a stream, it
# starts when the stream would have ended.
_LEASE_S: dict[Kind, int] = {"search": 60, "stream": 60, "upload": 600}

# GCRA: one number, the time at which the bucket is full again.
# ARGV: microseconds a unit, units in a full bucket, units requested.
# Returns: allowed, units left, microseconds until it would be allowed, microseconds until full.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local unit, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local cost = math.min(tonumber(ARGV[3]), burst)
local room = burst * unit
local full_at = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + room)
local next_full_at = full_at + cost * unit
local wait = next_full_at - room - now
if wait > 0 then
  return {0, math.floor((now + room - full_at) / unit), math.ceil(wait), math.ceil(full_at - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', next_full_at), 'PX', math.ceil((next_full_at - now) / 1000) + 1000)
return {1, math.floor((now + room - next_full_at) / unit), 0, math.ceil(next_full_at - now)}
"""

# A sorted set of slots, by the time their lease ends. ARGV: slot, limit, seconds of lease. Returns: taken.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return {0} end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3] + 1)
return {1}
"""


class RateLimited(LimitReached):
    code = "rate_limited"
    title = "Too many requests with this key."


class TooManyAtOnce(LimitReached):
    code = "too_many_at_once"
    title = "Too many concurrent requests of this kind for this account."


@dataclass(frozen=True, slots=True)
class Balance:
    """The state of a bucket after spending from it."""

    allowed: bool
    left: int
    wait_s: float
    full_in_s: float


def spend(bucket: str, *, cost: int, per_minute: int, burst: int) -> Balance | None:
    """Take `cost` from a bucket that holds `burst` and refills evenly; return None if Redis is unavailable.

    A cost above a full bucket is allowed when the bucket is full; otherwise it never could be.
    """
    unit_us = 60_000_000 / per_minute
    reply = limiter().run_script(_SPEND, keys=[f"paliapi:rate:{bucket}"], arguments=[unit_us, burst, cost])
    if reply is None:
        return None
    allowed, left, wait_us, full_in_us = reply
    return Balance(bool(allowed), left, wait_us / 1e6, full_in_us / 1e6)


@contextmanager
def concurrent(kind: Kind, *, owner_id: int, limit: int) -> Iterator[None]:
    """Hold one of the owner's `limit` slots for this kind of work, or raise TooManyAtOnce if all are taken."""
    key, slot = f"paliapi:running:{kind}:{owner_id}", secrets.token_hex(8)
    lease_s = _LEASE_S[kind] + (settings.ENV.stream_s if kind == "stream" else 0)
    taken = limiter().run_script(_TAKE, keys=[key], arguments=[slot, limit, lease_s])
    if taken == [0]:
        raise TooManyAtOnce(f"At most {limit} of kind {kind} may run concurrently.", retry_after_s=1)
    try:
        yield
    finally:
        if taken:
            limiter().send("ZREM", key, slot)


class KeyRate(BaseThrottle):
    """Charges `view.cost` to the key and sends its balance as headers (draft-ietf-httpapi-ratelimit-headers)."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Caller):
            return True
        rate, burst = settings.ENV.rate_per_minute, settings.ENV.rate_burst
        cost = getattr(view, "cost", 1)
        balance = spend(f"key:{request.auth.key_id}", cost=cost, per_minute=rate, burst=burst)
        if balance is None:
            return True
        headers = {
            "RateLimit-Policy": f'"key";q={burst};w={math.ceil(burst * 60 / rate)}',
            "RateLimit": f'"key";r={balance.left};t={math.ceil(balance.full_in_s)}',
        }
        set_response_headers(request, headers)
        if not balance.allowed:
            raise RateLimited(retry_after_s=balance.wait_s)
        return True
