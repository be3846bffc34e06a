"""Many requests at the rate that the server allows: by its limit headers, and by its refusals."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, replace

from paliapi_client.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    QuotaExceeded,
    RateLimited,
    ServiceUnavailable,
)
from paliapi_client.flows.attempts import FINAL_CODES
from paliapi_client.flows.steps import Flow, Request, Response, Sleep, T, call

# How long a server may be away, counted from its last answer.
PATIENCE_S = 300.0
FIRST_HOLD_S = 0.5
MAX_HOLD_S = 30.0
# So that an interruption is noticed.
MAX_SLEEP_S = 0.5
# A refused upload costs two units, and one of 4 MB at most one.
UNITS_OF_AN_UPLOAD = 2

_BUCKET = re.compile(r'"([^"]*)"((?:\s*;\s*[a-z]+=\d+)+)')
_PARAMETER = re.compile(r"([a-z]+)=(\d{1,15})")


@dataclass(slots=True)
class Bucket:
    """What a key or its account may still spend, as of the last answer, less what was sent since."""

    left: float
    unit_s: float


class Pacer:
    """Says when the next request may be sent; threads share it."""

    def __init__(self, parallel: int) -> None:
        self._lock = threading.Lock()
        self._parallel = parallel
        self._buckets: dict[str, Bucket] = {}
        self._as_of = time.monotonic()
        self._not_before = 0.0
        self._refusals = 0
        self._last_answer = time.monotonic()

    def reserve(self) -> float:
        """Take the units of a request and return 0, or return in how many seconds to ask again."""
        with self._lock:
            now = time.monotonic()
            pause = self._not_before - now
            for bucket in self._buckets.values():
                refilled = bucket.left + (now - self._as_of) / bucket.unit_s
                pause = max(pause, (UNITS_OF_AN_UPLOAD - refilled) * bucket.unit_s)
            if pause > 0:
                return pause
            for bucket in self._buckets.values():
                bucket.left -= UNITS_OF_AN_UPLOAD
            return 0.0

    def note(self, response: Response) -> None:
        """Take the limits from an answer."""
        limits = _parameters(response.headers.get("ratelimit", ""))
        policies = _parameters(response.headers.get("ratelimit-policy", ""))
        with self._lock:
            self._last_answer = time.monotonic()
            if response.status < 400:
                self._refusals = 0
            for name, limit in limits.items():
                policy = policies.get(name, {})
                if "r" in limit and policy.get("q", 0) > 0 and policy.get("w", 0) > 0:
                    # Other requests of ours that the server has not counted yet.
                    self._buckets[name] = Bucket(limit["r"] - self._parallel, policy["w"] / policy["q"])
                    self._as_of = self._last_answer

    def hold(self, seconds: float | None) -> None:
        """Send nothing for a while, after a refusal."""
        with self._lock:
            self._refusals += 1
            if seconds is None:
                seconds = min(MAX_HOLD_S, FIRST_HOLD_S * 2 ** min(self._refusals, 10))
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def is_patient(self) -> bool:
        """Return whether a server that is away may still come back."""
        with self._lock:
            return time.monotonic() - self._last_answer < PATIENCE_S


def paced(request: Request[T], pacer: Pacer) -> Flow[T]:
    """Carry out a request when the pacer allows it, again and again while the server has no room or is away."""
    request = replace(request, max_retries=0, on_response=pacer.note)
    while True:
        while (pause := pacer.reserve()) > 0:
            yield Sleep(min(pause, MAX_SLEEP_S))
        try:
            return (yield from call(request))
        except QuotaExceeded:
            raise
        except RateLimited as refusal:
            pacer.hold(refusal.retry_after)
        except ServiceUnavailable as refusal:
            if refusal.code in FINAL_CODES or not pacer.is_patient():
                raise
            pacer.hold(refusal.retry_after)
        except (ConnectionFailed, DeadlineExceeded):
            if not pacer.is_patient():
                raise
            pacer.hold(None)


def _parameters(header: str) -> dict[str, dict[str, int]]:
    return {
        name: {key: int(value) for key, value in _PARAMETER.findall(parameters)}
        for name, parameters in _BUCKET.findall(header[:1000])
    }
