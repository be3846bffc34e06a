"""A document is fetched by its URL, from the public network alone.

    with tempfile.TemporaryFile() as file:
        fetched = fetch(url, file, limits=FetchLimits(max_bytes=50_000_000), way=Way())

What the server says of the document is not believed: its type is told by its content, its size by counting. Errors say
nothing of the network: a name that is not there and a private address read the same.
"""

import hashlib
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import IO

import httpcore

from collections_app.engine.outbound.client import Patience, Way, exchange
from collections_app.engine.outbound.destination import Destination, destination
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge, FetchUnavailable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_LONGEST_PAUSE_S = 3600.0
_LONGEST_TYPE = 255
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much to read, how long to wait, how far to follow."""

    max_bytes: int = 50 * 1024 * 1024
    max_redirects: int = 3
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched; the URL is the one after all redirects."""

    url: str
    sha256: str
    size: int
    content_type_claimed: str


def fetch(
    url: str,
    into: IO[bytes],
    *,
    limits: FetchLimits = FetchLimits(),
    way: Way = Way(),  # noqa: B008 - frozen
) -> Fetched:
    """The content behind a URL, written to `into`, or a Fetch... error; then `into` may hold a part.

    Only FetchUnavailable is worth trying again, and may say after how long.
    """
    patience = Patience(connect_s=limits.connect_s, read_s=limits.read_s, until=time.monotonic() + limits.total_s)
    here = destination(url, ports=way.ports)
    seen = {here.url}
    for _ in range(limits.max_redirects + 1):
        with exchange("GET", here, way=way, patience=patience, headers=_HEADERS) as answer:
            if answer.status not in _REDIRECTS:
                return _received(answer, into, here=here, limits=limits)
            here = _next(here, answer, way=way)
        if here.url in seen:
            raise FetchFailed("The URL redirects in a circle.")
        seen.add(here.url)
    raise FetchFailed(f"The URL redirects more than {limits.max_redirects} times.")


def _next(here: Destination, answer: httpcore.Response, *, way: Way) -> Destination:
    reference = header(answer, b"location")
    if not reference:
        raise FetchFailed("The URL redirects, but does not say where to.")
    there = here.joined(reference, ports=way.ports)
    if here.scheme == "https" and there.scheme != "https":
        raise FetchRefused("The URL redirects from https to http.")
    return there


def _received(answer: httpcore.Response, into: IO[bytes], *, here: Destination, limits: FetchLimits) -> Fetched:
    _check_status(answer)
    if header(answer, b"content-encoding").lower() not in ("", "identity"):
        raise FetchFailed("The server compressed the document, though it was asked not to.")
    claimed = header(answer, b"content-length")
    # Longer numbers than this are too large as well.
    if claimed.isdecimal() and (len(claimed) > 18 or int(claimed) > limits.max_bytes):
        raise _too_large(limits)
    digest, size = hashlib.sha256(), 0
    for piece in answer.iter_stream():
        size += len(piece)
        if size > limits.max_bytes:
            raise _too_large(limits)
        digest.update(piece)
        into.write(piece)
    return Fetched(here.url, digest.hexdigest(), size, _type(answer))


def _check_status(answer: httpcore.Response) -> None:
    if answer.status == 200:
        return
    detail = f"The server answered with status {answer.status} and not with a document."
    if answer.status in _BUSY or answer.status >= 500:
        raise FetchUnavailable(detail, retry_after_s=pause_s(header(answer, b"retry-after")))
    raise FetchFailed(detail)


def pause_s(text: str) -> float | None:
    """Seconds, given as such or as a date; not longer than is reasonable."""
    if text.isdecimal():
        return float(min(int(text[:9]), _LONGEST_PAUSE_S))
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE_S)


def _type(answer: httpcore.Response) -> str:
    claimed = header(answer, b"content-type")
    return claimed[:_LONGEST_TYPE] if claimed.isprintable() else ""


def header(answer: httpcore.Response, name: bytes) -> str:
    """The header, or nothing."""
    values = [value for key, value in answer.headers if key.lower() == name]
    return b", ".join(values).decode("utf-8", errors="replace").strip()


def _too_large(limits: FetchLimits) -> FetchTooLarge:
    return FetchTooLarge(f"The document behind this URL has more than {limits.max_bytes:,} bytes.")
