"""Deliver one message to a server that a user names: one attempt, within a time limit, without following redirects."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import httpcore

from collections_app.engine.outbound.client import OutboundPolicy, Timeouts, exchange
from collections_app.engine.outbound.destination import parse_destination
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable
from collections_app.engine.outbound.fetch import header, parse_retry_after

# Why a message was not delivered; empty if it was.
PostFailure: TypeAlias = Literal["", "refused", "unreachable", "untrusted", "redirected", "rejected"]

_CONNECT_S = 5.0
_MAX_RESPONSE_BYTES = 1000
_HEADERS = {"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResult:
    """The outcome of one attempt; `status` is None if there was no response."""

    failure: PostFailure = ""
    status: int | None = None
    text: str = ""
    took_ms: int = 0
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        return not self.failure


def post(url: str, body: bytes, *, headers: Mapping[str, str], policy: OutboundPolicy, timeout_s: float) -> PostResult:
    """Send the body once. Every failure is reported in the result; none is raised."""
    started = time.monotonic()
    timeouts = Timeouts(connect_s=_CONNECT_S, read_s=timeout_s, deadline=started + timeout_s)
    failure: PostFailure
    try:
        destination = parse_destination(url, ports=policy.ports)
        with exchange(
            "POST", destination, policy=policy, timeouts=timeouts, headers={**_HEADERS, **headers}, content=body
        ) as response:
            return PostResult(
                failure=_failure_of_status(response.status),
                status=response.status,
                text=_read_excerpt(response),
                took_ms=_ms_since(started),
                retry_after_s=parse_retry_after(header(response, b"retry-after")),
            )
    except FetchRefused:
        failure = "refused"
    except FetchFailed:
        failure = "untrusted"
    except FetchUnavailable:
        failure = "unreachable"
    return PostResult(failure=failure, took_ms=_ms_since(started))


def _failure_of_status(status: int) -> PostFailure:
    if 200 <= status < 300:
        return ""
    return "redirected" if 300 <= status < 400 else "rejected"


def _read_excerpt(response: httpcore.Response) -> str:
    """Return the start of a response as printable text. The status decides: a truncated body is no failure."""
    data = b""
    try:
        for piece in response.iter_stream():
            data += piece
            if len(data) >= _MAX_RESPONSE_BYTES:
                break
    except (FetchUnavailable, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    text = data[:_MAX_RESPONSE_BYTES].decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text).strip()


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
