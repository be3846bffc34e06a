"""One message to a server that a user names: sent once, in time, and nothing of the answer is believed or followed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import httpcore

from collections_app.engine.outbound.client import Patience, Way, exchange
from collections_app.engine.outbound.destination import destination
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable
from collections_app.engine.outbound.fetch import header, pause_s

# Why a message did not arrive.
Trouble: TypeAlias = Literal["", "refused", "unreachable", "untrusted", "redirected", "rejected"]

_CONNECT_S = 5.0
_MOST_OF_AN_ANSWER = 1000
_HEADERS = {"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of it; `status` is None where nobody answered."""

    trouble: Trouble = ""
    status: int | None = None
    text: str = ""
    took_ms: int = 0
    retry_after_s: float | None = None

    @property
    def arrived(self) -> bool:
        return not self.trouble


def post(url: str, body: bytes, *, headers: Mapping[str, str], way: Way, within_s: float) -> Receipt:
    """Send it. Whatever goes wrong is in the receipt."""
    begun = time.monotonic()
    patience = Patience(connect_s=_CONNECT_S, read_s=within_s, until=begun + within_s)
    trouble: Trouble
    try:
        where = destination(url, ports=way.ports)
        with exchange(
            "POST", where, way=way, patience=patience, headers={**_HEADERS, **headers}, content=body
        ) as answer:
            return Receipt(
                trouble=_trouble(answer.status),
                status=answer.status,
                text=_beginning(answer),
                took_ms=_since(begun),
                retry_after_s=pause_s(header(answer, b"retry-after")),
            )
    except FetchRefused:
        trouble = "refused"
    except FetchFailed:
        trouble = "untrusted"
    except FetchUnavailable:
        trouble = "unreachable"
    return Receipt(trouble=trouble, took_ms=_since(begun))


def _trouble(status: int) -> Trouble:
    if 200 <= status < 300:
        return ""
    return "redirected" if 300 <= status < 400 else "rejected"


def _beginning(answer: httpcore.Response) -> str:
    """The first of an answer, as text that can be kept. The status says all: a body that breaks off is no failure."""
    read = b""
    try:
        for piece in answer.iter_stream():
            read += piece
            if len(read) >= _MOST_OF_AN_ANSWER:
                break
    except (FetchUnavailable, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    text = read[:_MOST_OF_AN_ANSWER].decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text).strip()


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
