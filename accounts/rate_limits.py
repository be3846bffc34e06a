"""Counting what is spent from budgets, and limits on how much an owner may run concurrently.

Both are counted in Redis by atomic scripts, with the time of Redis. One call can do both. `accounts.redis_counters`
explains what happens when Redis is unavailable.
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

# A sorted set of slots, by the time their lease ends.
_TAKE_SLOT = """
local time = redis.call('TIME')
local function take(key, slot, limit, lease)
  local now = time[1] + time[2] / 1000000
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= tonumber(limit) then return 0 end
  redis.call('ZADD', key, now + lease, slot)
  redis.call('EXPIRE', key, lease + 1)
  return 1
end
"""

# ARGV: slot, limit, seconds of lease. Returns: taken.
_TAKE = f"{_TAKE_SLOT} return {{take(KEYS[1], ARGV[1], ARGV[2], ARGV[3])}}"

# GCRA: one number per bucket, the time at which it is full again. Either every bucket gives the units or none does. If
# the units are given and a slot is requested, it is taken as well. Its key is the last.
# ARGV: units requested, 1 if they may be owed, number of buckets; then for each bucket: microseconds a unit, units in a
# full bucket, units that may be owed; then the arguments of the slot, as above.
# Returns: allowed, microseconds until it would be allowed, microseconds until each bucket has a unit, taken; then for
# each bucket: units left, microseconds until full.
_SPEND = f"""
{_TAKE_SLOT}
local now = time[1] * 1000000 + time[2]
local wanted, owing, buckets = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local wait, empty_for = 0, 0
local full_at, next_full_at, rooms, units = {{}}, {{}}, {{}}, {{}}
for i = 1, buckets do
  local unit, burst, debt = tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2]), tonumber(ARGV[3 * i + 3])
  local room = burst * unit
  local most = now + room + debt * unit
  local at = math.min(math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now), most)
  local cost = wanted
  if not owing then cost = math.min(wanted, burst) end
  units[i], rooms[i], full_at[i] = unit, room, at
  next_full_at[i] = math.min(at + cost * unit, most)
  wait = math.max(wait, at + cost * unit - room - now)
end
local allowed = owing or wait <= 0
local reply = {{allowed and 1 or 0, allowed and 0 or math.ceil(wait), 0, 0}}
for i = 1, buckets do
  if allowed then
    full_at[i] = next_full_at[i]
    redis.call('SET', KEYS[i], string.format('%.0f', full_at[i]), 'PX', math.ceil((full_at[i] - now) / 1000) + 1000)
  end
  empty_for = math.max(empty_for, full_at[i] + units[i] - rooms[i] - now)
  reply[#reply + 1] = math.max(0, math.floor((now + rooms[i] - full_at[i]) / units[i]))
  reply[#reply + 1] = math.ceil(full_at[i] - now)
end
reply[3] = math.max(0, math.ceil(empty_for))
if allowed and #KEYS > buckets then
  local first = 3 * buckets + 4
  reply[4] = take(KEYS[#KEYS], ARGV[first], ARGV[first + 1], ARGV[first + 2])
end
return reply
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


class Slot:
    """One of an owner's `limit` slots for work of a kind. It is free until it is taken, by one thread."""

    def __init__(self, kind: Kind, *, owner_id: int, limit: int) -> None:
        self.key = f"paliapi:running:{kind}:{owner_id}"
        lease_s = _LEASE_S[kind] + (settings.ENV.stream_s if kind == "stream" else 0)
        self.arguments = (secrets.token_hex(8), limit, lease_s)
        self.refusal = f"At most {limit} of kind {kind} may run concurrently."
        self.is_taken = False
        self.is_refused = False

    def take(self) -> bool:
        """Take the slot if the owner has one left; return whether the work may begin."""
        reply = limiter().run_script(_TAKE, keys=[self.key], arguments=self.arguments)
        if reply is not None:
            self.record(taken=bool(reply[0]))
        return not self.is_refused

    def record(self, *, taken: bool) -> None:
        self.is_taken, self.is_refused = taken, not taken

    def require(self) -> None:
        """Raise TooManyAtOnce if the owner had no slot left."""
        if self.is_refused:
            raise TooManyAtOnce(self.refusal, retry_after_s=1)

    def release(self) -> None:
        """Free the slot if it was taken."""
        if self.is_taken:
            self.is_taken = False
            limiter().send("ZREM", self.key, self.arguments[0])


def spend(bucket: str, *, cost: int, per_minute: int, burst: int) -> Balance | None:
    """Take `cost` from one bucket; return None if Redis is unavailable."""
    payment = spend_from([Bucket(name=bucket, per_minute=per_minute, burst=burst)], cost=cost)
    return payment.balances[0] if payment else None


def spend_from(
    buckets: Sequence[Bucket], *, cost: int, owing: bool = False, slot: Slot | None = None
) -> Payment | None:
    """Take `cost` from every bucket, or from none; return None if Redis is unavailable.

    A cost above a full bucket is allowed when the bucket is full; otherwise it never could be. With `owing`, the whole
    cost is always taken, and what a bucket lacks is owed. If the cost is taken, so is the slot, or it is refused.
    """
    arguments: list[str | float] = [cost, int(owing), len(buckets)]
    for bucket in buckets:
        arguments += [60_000_000 / bucket.per_minute, bucket.burst, bucket.debt]
    keys = [f"paliapi:rate:{bucket.name}" for bucket in buckets]
    if slot:
        keys.append(slot.key)
        arguments += slot.arguments
    reply = limiter().run_script(_SPEND, keys=keys, arguments=arguments)
    if reply is None:
        return None
    allowed, wait_us, empty_for_us, taken, *states = reply
    if slot and allowed:
        slot.record(taken=bool(taken))
    balances = tuple(
        Balance(bool(allowed), left, wait_us / 1e6, full_in_us / 1e6)
        for left, full_in_us in zip(states[::2], states[1::2], strict=True)
    )
    return Payment(bool(allowed), wait_us / 1e6, empty_for_us / 1e6, balances)


@contextmanager
def concurrent(kind: Kind, *, owner_id: int, limit: int, within_s: float = 0.0) -> Iterator[None]:
    """Hold one of the owner's `limit` slots for this kind of work, or raise TooManyAtOnce if none is free in time."""
    slot = Slot(kind, owner_id=owner_id, limit=limit)
    until = time.monotonic() + within_s
    while not slot.take():
        if time.monotonic() >= until:
            slot.require()
        release_connection()
        time.sleep(_SLOT_POLL_S)
    try:
        yield
    finally:
        slot.release()
