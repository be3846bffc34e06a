"""One request and its answer: what statuses mean, when to ask again, how much to read."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from embeddings.client.errors import AccessDenied, Rejected, ServiceUnavailable, TooLarge, Untrustworthy

T = TypeVar("T")

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
MOST_ANSWER_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to ask again."""

    connect_s: float = 5.0
    read_s: float = 150.0
    total_s: float = 330.0
    attempts: int = 5
    first_pause_s: float = 0.5
    longest_pause_s: float = 20.0


class Again(Exception):
    """This try failed; another one may not."""

    def __init__(self, detail: str, *, after_s: float | None = None) -> None:
        super().__init__(detail)
        self.after_s = after_s


def client_for(token: str, *, patience: Patience) -> httpx.Client:
    """Connections that carry the token."""
    timeout = httpx.Timeout(patience.read_s, connect=patience.connect_s)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(headers=headers, timeout=timeout, limits=httpx.Limits(keepalive_expiry=30))


def patiently(once: Callable[[float], T], *, patience: Patience) -> T:
    """The first answer that one of several tries brings."""
    until = time.monotonic() + patience.total_s
    pause_s = patience.first_pause_s
    for attempt in range(1, patience.attempts + 1):
        try:
            return once(until)
        except Again as problem:
            pause_s = max(problem.after_s or 0.0, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            left_s = until - time.monotonic()
            if attempt == patience.attempts or pause_s >= left_s:
                raise ServiceUnavailable(str(problem), retry_after_s=problem.after_s) from problem
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, patience.longest_pause_s)
    raise AssertionError("The loop returns or raises.")


def exchange(client: httpx.Client, method: str, url: str, *, until: float, **how: Any) -> httpx.Response:
    """One request, whose answer is read no further than the limit."""
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise ServiceUnavailable("The embeddings service did not answer in time.")
    timeout = httpx.Timeout(min(left_s, client.timeout.read or left_s), connect=client.timeout.connect)
    try:
        with client.stream(method, url, timeout=timeout, **how) as answer:
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > MOST_ANSWER_BYTES:
                    raise Untrustworthy(f"The answer has more than {MOST_ANSWER_BYTES} bytes.")
                parts.append(part)
    except httpx.TransportError as problem:
        raise Again(f"The embeddings service cannot be reached: {type(problem).__name__}.") from problem
    except httpx.DecodingError as problem:
        raise Untrustworthy("The answer cannot be decompressed.") from problem
    kept = [(name, value) for name, value in answer.headers.items() if name != "content-encoding"]
    return httpx.Response(answer.status_code, headers=kept, content=b"".join(parts), request=answer.request)


def next_of(answer: httpx.Response) -> str:
    """Where a 303 points to, if that is the same service: the token goes nowhere else."""
    here = answer.request.url
    try:
        target = here.join(answer.headers.get("location", ""))
    except httpx.InvalidURL as problem:
        raise Untrustworthy("The service points to no address for its answer.") from problem
    if (target.scheme, target.host, target.port) != (here.scheme, here.host, here.port):
        raise Untrustworthy("The service points to another place for its answer.")
    return str(target)


def raise_for(answer: httpx.Response) -> None:
    """Nothing, if the service answered; else what its status means."""
    status = answer.status_code
    if status == 200:
        return
    told = _told(answer)
    detail = f"{told.get('detail') or 'The embeddings service answered'} ({status})"
    index = told.get("index") if isinstance(told.get("index"), int) else None
    raise meaning(status, detail, index=index, retry_after=answer.headers.get("retry-after", ""))


def meaning(status: int, detail: str, *, index: int | None, retry_after: str) -> Exception:
    """The error that a status stands for."""
    if status == 413:
        return TooLarge(detail, index=index)
    # A 500 that names its input will come again for that input, and for it alone.
    if status in _AGAIN and not (status == 500 and index is not None):
        return Again(detail, after_s=float(retry_after) if retry_after.isdigit() else None)
    if status in (401, 403):
        return AccessDenied(detail)
    if status in (400, 415, 422, 500):
        return Rejected(detail, index=index)
    return Untrustworthy(detail)


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def json_of(answer: httpx.Response) -> Any:
    """The JSON of an answer."""
    try:
        return answer.json()
    except (ValueError, RecursionError) as problem:
        raise Untrustworthy("The answer is neither npz nor JSON.") from problem


def pause(pause_s: float, *, until: float) -> None:
    """Wait, unless there is no time for it."""
    if time.monotonic() + pause_s >= until:
        raise ServiceUnavailable("The embeddings service did not answer in time.")
    time.sleep(pause_s)
