"""Sending a request until it succeeds, the failure is final, or the time is up."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import httpx

from paliapi_client.errors import (
    QUOTA_CODES,
    APIError,
    ConnectionFailed,
    DeadlineExceeded,
    PaliAPIError,
    UnexpectedAnswer,
)
from paliapi_client.flows.answers import error_of
from paliapi_client.flows.steps import Attempt, Flow, Request, Response, Sleep, T

FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 8.0
# Of 5xx, those of proxies whose server is being restarted, too.
REPEATED_STATUSES = frozenset({408, 429, 502, 503, 504})
# The server answered before it did anything.
REFUSED_STATUSES = frozenset({408, 429, 503})
# Waiting does not help.
FINAL_CODES = QUOTA_CODES | {"sandbox_incomplete"}


@dataclass(frozen=True, slots=True)
class Options:
    """How long a call may take, and how often it is repeated."""

    timeout_s: float | None
    max_retries: int


def send(request: Request[T], options: Options) -> Flow[T]:
    """Send a request, with retries; return its answer or raise why there is none."""
    limit_s = None if request.unlimited else options.timeout_s
    ends = [] if limit_s is None else [time.monotonic() + limit_s]
    deadline = min([*ends, *([] if request.deadline is None else [request.deadline])], default=None)
    uncertain = False
    max_retries = options.max_retries if request.max_retries is None else request.max_retries
    for attempt in range(max_retries + 1):
        try:
            response: Response = yield Attempt(request, options.timeout_s, deadline)
        except httpx.HTTPError as error:
            unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
            failure: PaliAPIError = _failure_of(error, request)
            again = unsent or request.repeatable
            uncertain = uncertain or not unsent
        except httpx.InvalidURL as error:
            raise UnexpectedAnswer(f"The link is not valid: {error}") from None
        else:
            if request.on_response is not None:
                request.on_response(response)
            if 200 <= response.status < 300 or response.status in request.expected:
                return request.decode(response)
            if uncertain and request.method == "DELETE" and response.status == 404:
                return request.decode(Response(204, {}, b""))
            failure = error_of(response)
            again = _may_repeat(request, failure)
            uncertain = uncertain or response.status >= 500
        pause = _pause(attempt, failure)
        if not again or attempt == max_retries:
            raise failure
        if deadline is not None and time.monotonic() + pause >= deadline:
            raise _too_late(failure)
        yield Sleep(pause)
    raise AssertionError("unreachable")


def _may_repeat(request: Request[T], failure: APIError | UnexpectedAnswer) -> bool:
    if not isinstance(failure, APIError) or failure.code in FINAL_CODES:
        return False
    return failure.status in (REPEATED_STATUSES if request.repeatable else REFUSED_STATUSES)


def _pause(attempt: int, failure: PaliAPIError) -> float:
    """Return how long to wait: as long as the server says, and a little, by chance, so that clients come apart."""
    pause: float = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    if isinstance(failure, APIError) and failure.retry_after is not None:
        return failure.retry_after + FIRST_PAUSE_S * jitter
    return pause * jitter


def _failure_of(error: httpx.HTTPError, request: Request[T]) -> PaliAPIError:
    what = f"{request.method} {request.signed_url or request.path}"
    if isinstance(error, httpx.TimeoutException):
        failure: PaliAPIError = DeadlineExceeded(f"{what}: no answer in time ({type(error).__name__})")
    else:
        failure = ConnectionFailed(f"{what}: {str(error) or type(error).__name__}")
    failure.__cause__ = error
    return failure


def _too_late(failure: PaliAPIError) -> PaliAPIError:
    """Return what to raise if the time is up before the next attempt: a refusal of the server says more."""
    if isinstance(failure, APIError):
        return failure
    late = DeadlineExceeded(f"The time does not suffice for another attempt; the last failure: {failure}")
    late.__cause__ = failure
    return late
