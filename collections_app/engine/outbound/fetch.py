"""Download a document by its URL, from the public network only.

    with tempfile.TemporaryFile() as file:
        document = fetch(url, file, limits=FetchLimits(max_bytes=50_000_000), policy=OutboundPolicy())

The server's claims about the document are not trusted: its type is detected from its content and its size is counted.
Errors reveal nothing about the network: an unknown name and a private address read the same.
"""

import hashlib
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import IO

import httpcore

from collections_app.engine.outbound.client import OutboundPolicy, Timeouts, exchange
from collections_app.engine.outbound.destination import Destination, parse_destination
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge, FetchUnavailable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_MAX_RETRY_AFTER_S = 3600.0
_MAX_CONTENT_TYPE_LENGTH = 255
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Limits on size, redirects and time."""

    max_bytes: int = 50 * 1024 * 1024
    max_redirects: int = 3
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 120.0


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A document that was downloaded; `url` is the one after all redirects."""

    url: str
    sha256: str
    size: int
    claimed_content_type: str


def fetch(
    url: str,
    into: IO[bytes],
    *,
    limits: FetchLimits = FetchLimits(),
    policy: OutboundPolicy = OutboundPolicy(),  # noqa: B008 - frozen
) -> FetchedDocument:
    """Write the document at a URL to `into`, or raise a Fetch... error; `into` may then hold a part of it.

    Only FetchUnavailable is worth a retry; it may say after how long.
    """
    timeouts = Timeouts(connect_s=limits.connect_s, read_s=limits.read_s, deadline=time.monotonic() + limits.total_s)
    current = parse_destination(url, ports=policy.ports)
    visited = {current.url}
    for _ in range(limits.max_redirects + 1):
        with exchange("GET", current, policy=policy, timeouts=timeouts, headers=_HEADERS) as response:
            if response.status not in _REDIRECTS:
                return _receive(response, into, url=current.url, limits=limits)
            current = _follow_redirect(current, response, policy=policy)
        if current.url in visited:
            raise FetchFailed("The URL redirects in a loop.")
        visited.add(current.url)
    raise FetchFailed(f"The URL redirects more than {limits.max_redirects} times.")


def _follow_redirect(current: Destination, response: httpcore.Response, *, policy: OutboundPolicy) -> Destination:
    reference = header(response, b"location")
    if not reference:
        raise FetchFailed("The URL redirects without a location.")
    following = current.join(reference, ports=policy.ports)
    if current.scheme == "https" and following.scheme != "https":
        raise FetchRefused("The URL redirects from https to http.")
    return following


def _receive(response: httpcore.Response, into: IO[bytes], *, url: str, limits: FetchLimits) -> FetchedDocument:
    _check_status(response)
    if header(response, b"content-encoding").lower() not in ("", "identity"):
        raise FetchFailed("The server compressed the document although it was asked not to.")
    claimed_size = header(response, b"content-length")
    # Numbers of more than 18 digits are too large as well, and are not parsed.
    if claimed_size.isdecimal() and (len(claimed_size) > 18 or int(claimed_size) > limits.max_bytes):
        raise _too_large(limits)
    digest, size = hashlib.sha256(), 0
    for piece in response.iter_stream():
        size += len(piece)
        if size > limits.max_bytes:
            raise _too_large(limits)
        digest.update(piece)
        into.write(piece)
    claimed_type = header(response, b"content-type")
    content_type = claimed_type[:_MAX_CONTENT_TYPE_LENGTH] if claimed_type.isprintable() else ""
    return FetchedDocument(url, digest.hexdigest(), size, content_type)


def _check_status(response: httpcore.Response) -> None:
    if response.status == 200:
        return
    detail = f"The server responded with status {response.status} instead of a document."
    if response.status in _BUSY or response.status >= 500:
        raise FetchUnavailable(detail, retry_after_s=parse_retry_after(header(response, b"retry-after")))
    raise FetchFailed(detail)


def parse_retry_after(text: str) -> float | None:
    """Return the seconds that a Retry-After header means, a number or a date, capped at an hour; None if invalid."""
    if text.isdecimal():
        return float(min(int(text[:9]), _MAX_RETRY_AFTER_S))
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)


def header(response: httpcore.Response, name: bytes) -> str:
    """Return the value of a header, which is empty if it is missing."""
    values = [value for key, value in response.headers if key.lower() == name]
    return b", ".join(values).decode("utf-8", errors="replace").strip()


def _too_large(limits: FetchLimits) -> FetchTooLarge:
    return FetchTooLarge(f"The document at this URL has more than {limits.max_bytes:,} bytes.")
