"""A single request with a size limit, the meaning of its status, and retries."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from embeddings.client.errors import (
    AccessDenied,
    InputRejected,
    InputTooLarge,
    InvalidResponse,
    NotSupported,
    ServiceUnavailable,
)

T = TypeVar("T")

_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_SUPPORTED = frozenset({404, 405, 501})
MAX_RESPONSE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts and retries of one call. `total_s` covers all attempts together."""

    connect_s: float = 5.0
    read_s: float = 150.0
    total_s: float = 330.0
    attempts: int = 5
    first_pause_s: float = 0.5
    max_pause_s: float = 20.0


class RetryableError(Exception):
    """An attempt failed, but another one may succeed."""

    def __init__(self, detail: str, *, after_s: float | None = None) -> None:
        super().__init__(detail)
        self.after_s = after_s


def http_client(token: str, *, policy: RetryPolicy) -> httpx.Client:
    """Return an HTTP client that sends the token with every request."""
    timeout = httpx.Timeout(policy.read_s, connect=policy.connect_s)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(headers=headers, timeout=timeout, limits=httpx.Limits(keepalive_expiry=30))


def call_with_retries(attempt: Callable[[float], T], *, policy: RetryPolicy, until: float = math.inf) -> T:
    """Call `attempt(deadline)` until it succeeds, or raise ServiceUnavailable when the policy is exhausted.

    `until`, on the monotonic clock, is a deadline of the caller's own.
    """
    deadline = min(time.monotonic() + policy.total_s, until)
    pause_s = policy.first_pause_s
    for number in range(1, policy.attempts + 1):
        try:
            return attempt(deadline)
        except RetryableError as error:
            pause_s = max(error.after_s or 0.0, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            if number == policy.attempts or pause_s >= deadline - time.monotonic():
                raise ServiceUnavailable(str(error), retry_after_s=error.after_s) from error
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, policy.max_pause_s)
    raise AssertionError("The loop returns or raises.")


def send_request(client: httpx.Client, method: str, url: str, *, deadline: float, **options: Any) -> httpx.Response:
    """Send a request and return the response; stop reading at the size limit."""
    remaining_s = deadline - time.monotonic()
    if remaining_s <= 0:
        raise ServiceUnavailable("The embeddings service did not answer in time.")
    timeout = httpx.Timeout(min(remaining_s, client.timeout.read or remaining_s), connect=client.timeout.connect)
    try:
        with client.stream(method, url, timeout=timeout, **options) as response:
            parts, size = [], 0
            for part in response.iter_bytes():
                size += len(part)
                if size > MAX_RESPONSE_BYTES:
                    raise InvalidResponse(f"The response exceeds {MAX_RESPONSE_BYTES} bytes.")
                parts.append(part)
    except httpx.TransportError as error:
        raise RetryableError(f"The embeddings service cannot be reached: {type(error).__name__}.") from error
    except httpx.DecodingError as error:
        raise InvalidResponse("The response cannot be decompressed.") from error
    # The body is decompressed already.
    headers = [(name, value) for name, value in response.headers.items() if name != "content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=b"".join(parts), request=response.request)


def redirect_target(response: httpx.Response) -> str:
    """Return the URL that a 303 points to; it must be on the same host, because the token is sent there."""
    origin = response.request.url
    try:
        target = origin.join(response.headers.get("location", ""))
    except httpx.InvalidURL as error:
        raise InvalidResponse("The service redirects to an invalid URL.") from error
    if (target.scheme, target.host, target.port) != (origin.scheme, origin.host, origin.port):
        raise InvalidResponse("The service redirects to another host.")
    return str(target)


def raise_for_status(response: httpx.Response) -> None:
    """Raise the error that the response's status stands for, unless it is 200."""
    status = response.status_code
    if status == 200:
        return
    details = _problem_details(response)
    detail = f"{details.get('detail') or 'The embeddings service answered'} ({status})"
    index = details.get("index") if isinstance(details.get("index"), int) else None
    raise error_for_status(status, detail, index=index, retry_after=response.headers.get("retry-after", ""))


def error_for_status(status: int, detail: str, *, index: int | None, retry_after: str) -> Exception:
    """Return the error that a status stands for."""
    if status == 413:
        return InputTooLarge(detail, index=index)
    # A 500 that names its input will recur for that input, and only for that one.
    if status in _RETRYABLE and not (status == 500 and index is not None):
        return RetryableError(detail, after_s=float(retry_after) if retry_after.isdigit() else None)
    if status in (401, 403):
        return AccessDenied(detail)
    if status in (400, 415, 422, 500):
        return InputRejected(detail, index=index)
    return NotSupported(detail) if status in _NOT_SUPPORTED else InvalidResponse(detail)


def _problem_details(response: httpx.Response) -> dict[str, Any]:
    try:
        details = response.json()
    except (ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def parse_json(response: httpx.Response) -> Any:
    """Return the parsed JSON body."""
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise InvalidResponse("The response is neither npz nor JSON.") from error


def pause(pause_s: float, *, deadline: float) -> None:
    """Sleep, or raise ServiceUnavailable if the deadline would pass."""
    if time.monotonic() + pause_s >= deadline:
        raise ServiceUnavailable("The embeddings service did not answer in time.")
    time.sleep(pause_s)
