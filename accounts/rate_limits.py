"""Counting what is spent from budgets, and limits on how much an owner may run concurrently.

Both are counted in Redis by atomic scripts, with the time of Redis. `accounts.redis_counters` explains what happens
when Redis is unavailable.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from accounts.redis_counters import limiter
from paliapi.database import release_connection
from paliapi.errors import LimitReached

Kind = Literal["search", "stream", "upload"]

# A slot that was never released, because its process was killed, is free again after this time. For a stream, it
# starts when the stream would have ended.
_LEASE_S: dict[Kind, int] = {"search": 60, "stream": 60, "upload": 600}

# GCRA: one number per bucket, the time at which it is full again. Either every bucket gives the units or none does.
# ARGV: units requested, 1 if they may be owed; then for each bucket: microseconds a unit, units in a full bucket, units
# that may be owed.
# Returns: allowed, microseconds until it would be allowed, microseconds until each bucket has a unit; then for each
# bucket: units left, microseconds until full.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wanted, owing = tonumber(ARGV[1]), ARGV[2] == '1'
local wait, empty_for = 0, 0
local full_at, next_full_at, rooms, units = {}, {}, {}, {}
for i, key in ipairs(KEYS) do
  local unit, burst, debt = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local room = burst * unit
  local most = now + room + debt * unit
  local at = math.min(math.max(tonumber(redis.call('GET', key) or 0), now), most)
  local cost = wanted
  if not owing then cost = math.min(wanted, burst) end
  units[i], rooms[i], full_at[i] = unit, room, at
  next_full_at[i] = math.min(at + cost * unit, most)
  wait = math.max(wait, at + cost * unit - room - now)
end
local allowed = owing or wait <= 0
local reply = {allowed and 1 or 0, allowed and 0 or math.ceil(wait), 0}
for i, key in ipairs(KEYS) do
  if allowed then
    full_at[i] = next_full_at[i]
    redis.call('SET', key, string.format('%.0f', full_at[i]), 'PX', math.ceil((full_at[i] - now) / 1000) + 1000)
  end
  empty_for = math.max(empty_for, full_at[i] + units[i] - rooms[i] - now)
  reply[#reply + 1] = math.max(0, math.floor((now + rooms[i] - full_at[i]) / units[i]))
  reply[#reply + 1] = math.ceil(full_at[i] - now)
end
reply[3] = math.max(0, math.ceil(empty_for))
return reply
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


_SLOT_POLL_S = 0.03


class RateLimited(LimitReached):
    code = "rate_limited"
    title = "Too many requests with this key, or for this account."


class TooManyAtOnce(LimitReached):
    code = "too_many_at_once"
    title = "Too many concurrent requests of this kind for this account."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Holds `burst` units and refills evenly. `debt` is how many units may be owed."""

    name: str
    per_minute: int
    burst: int
    debt: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """The state of a bucket after spending from it."""

    allowed: bool
    left: int
    wait_s: float
    full_in_s: float


@dataclass(frozen=True, slots=True)
class Payment:
    """The outcome of spending from several buckets at once, and the balance of each."""

    allowed: bool
    wait_s: float
    empty_for_s: float  # until the smallest request would be allowed
    balances: tuple[Balance, ...]


def spend(bucket: str, *, cost: int, per_minute: int, burst: int) -> Balance | None:
    """Take `cost` from one bucket; return None if Redis is unavailable."""
    payment = spend_from([Bucket(name=bucket, per_minute=per_minute, burst=burst)], cost=cost)
    return payment.balances[0] if payment else None


def spend_from(buckets: Sequence[Bucket], *, cost: int, owing: bool = False) -> Payment | None:
    """Take `cost` from every bucket, or from none; return None if Redis is unavailable.

    A cost above a full bucket is allowed when the bucket is full; otherwise it never could be. With `owing`, the whole
    cost is always taken, and what a bucket lacks is owed.
    """
    arguments: list[float] = [cost, int(owing)]
    for bucket in buckets:
        arguments += [60_000_000 / bucket.per_minute, bucket.burst, bucket.debt]
    keys = [f"paliapi:rate:{bucket.name}" for bucket in buckets]
    reply = limiter().run_script(_SPEND, keys=keys, arguments=arguments)
    if reply is None:
        return None
    allowed, wait_us, empty_for_us, *states = reply
    balances = tuple(
        Balance(bool(allowed), left, wait_us / 1e6, full_in_us / 1e6)
        for left, full_in_us in zip(states[::2], states[1::2], strict=True)
    )
    return Payment(bool(allowed), wait_us / 1e6, empty_for_us / 1e6, balances)


@contextmanager
def concurrent(kind: Kind, *, owner_id: int, limit: int, within_s: float = 0.0) -> Iterator[None]:
    """Hold one of the owner's `limit` slots for this kind of work, or raise TooManyAtOnce if none is free in time."""
    key, slot = f"paliapi:running:{kind}:{owner_id}", secrets.token_hex(8)
    lease_s = _LEASE_S[kind] + (settings.ENV.stream_s if kind == "stream" else 0)
    until = time.monotonic() + within_s
    while (taken := limiter().run_script(_TAKE, keys=[key], arguments=[slot, limit, lease_s])) == [0]:
        if time.monotonic() >= until:
            raise TooManyAtOnce(f"At most {limit} of kind {kind} may run concurrently.", retry_after_s=1)
        release_connection()
        time.sleep(_SLOT_POLL_S)
    try:
        yield
    finally:
        if taken:
            limiter().send("ZREM", key, slot)
