"""Waiting for a server that is restarted, or has no time."""

from __future__ import annotations

import time
from collections.abc import Callable

from paliapi_client.errors import APIError, ConnectionFailed, PaliAPIError, QuotaExceeded, RateLimited, ServerError
from paliapi_client.flows.attempts import FINAL_CODES, REPEATED_STATUSES
from paliapi_client.flows.steps import Flow, Sleep, T

PATIENCE_S = 300.0
PAUSE_S = 2.0


def patiently(begin: Callable[[], Flow[T]]) -> Flow[T]:
    """Carry out the flow that `begin` begins, and again while the server is away or busy, for up to five minutes."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return (yield from begin())
        except (ConnectionFailed, RateLimited, ServerError) as failure:
            if not _passes(failure) or time.monotonic() > until:
                raise
        yield Sleep(PAUSE_S)


def _passes(failure: PaliAPIError) -> bool:
    if isinstance(failure, QuotaExceeded):
        return False
    return not isinstance(failure, APIError) or (
        failure.status in REPEATED_STATUSES and failure.code not in FINAL_CODES
    )
