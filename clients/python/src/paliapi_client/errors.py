"""What can go wrong, by kind. Every exception of this package is a `PaliAPIError`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paliapi_client.models.documents import Document


class PaliAPIError(Exception):
    """The base of all exceptions of this package."""


class ConnectionFailed(PaliAPIError):
    """The server could not be reached, or the connection broke."""


class DeadlineExceeded(PaliAPIError):
    """The call did not finish in the time it was given."""


class UnexpectedAnswer(PaliAPIError):
    """The answer is not one of PaliAPI: not JSON, too large, a redirect, or without a field it must have."""


class SignatureInvalid(PaliAPIError):
    """A webhook message is not genuine, or too old."""


class ProcessingFailed(PaliAPIError):
    """An upload was accepted, but its document did not become searchable."""

    def __init__(self, detail: str, *, code: str, document: Document | None = None) -> None:
        super().__init__(f"{detail} [{code}]")
        self.detail = detail
        self.code = code
        self.document = document


@dataclass(frozen=True, slots=True)
class Problem:
    """One invalid part of a request."""

    pointer: str
    code: str
    detail: str


class APIError(PaliAPIError):
    """The server answered with an error. Rely on `status` and `code`; `detail` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        request_id: str | None = None,
        errors: Sequence[Problem] = (),
        retry_after: float | None = None,
    ) -> None:
        places = "".join(f"\n  {problem.pointer or '/'}: {problem.detail}" for problem in errors)
        place = f", request {request_id}" if request_id else ""
        super().__init__(f"{detail} [{status} {code}{place}]{places}")
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after = retry_after


class InvalidRequest(APIError):
    """The request is invalid (400, 413, 415, 422 and similar); `errors` says where."""


class Unauthorized(APIError):
    """The key is missing, unknown, expired or revoked (401)."""


class Forbidden(APIError):
    """The key does not permit this (403)."""


class NotFound(APIError):
    """It does not exist, or belongs to another account (404)."""


class Conflict(APIError):
    """It conflicts with the current state (409), or `if_match` is outdated (412)."""


class RateLimited(APIError):
    """Too many requests (429), even after waiting and repeating."""


class QuotaExceeded(RateLimited):
    """A quota or a fixed number is reached (429); to wait does not help."""


class ServerError(APIError):
    """The server failed (5xx)."""


class ServiceUnavailable(ServerError):
    """The server cannot do this at the moment (503), even after waiting and repeating."""


# These do not pass by waiting.
QUOTA_CODES = frozenset(
    {"quota_exceeded", "too_many_keys", "too_many_webhooks", "too_many_evaluations", "too_many_evaluation_runs"}
)


def kind_of(status: int, code: str) -> type[APIError]:
    """Return the exception class of an error response."""
    if status == 429:
        return QuotaExceeded if code in QUOTA_CODES else RateLimited
    if status >= 500:
        return ServiceUnavailable if status == 503 else ServerError
    kinds = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 412: Conflict}
    return kinds.get(status, InvalidRequest)
