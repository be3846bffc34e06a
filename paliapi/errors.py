"""The base classes of all errors.

Code raises a specific error; `paliapi.http.problems` maps its kind to an HTTP status in one place. A worker retries
only errors of the kind `Unavailable`.

    Error
    +-- Invalid             the request is wrong, whatever is stored
    |   +-- Unparsable      it cannot be parsed
    +-- Unauthenticated     the caller is unknown
    +-- Forbidden           the caller is known but not permitted
    +-- NotFound            missing, or owned by another account
    +-- Conflict            valid, but in conflict with what is stored
    |   +-- Stale           changed since the caller last read it
    +-- LimitReached        too many or too much, for this caller
    +-- TooLarge            one item is too large
    +-- Unavailable         not possible now; the same call may succeed later

Every concrete error is a subclass with a stable `code` and a `title`, listed in docs/errors.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

# An error lists at most this many problems, however many the request has.
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with one part of the request; `pointer` is a JSON pointer such as `/metadata/year`."""

    pointer: str
    code: str
    detail: str


class Error(Exception):
    """The base class. Raise a specific subclass."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        problems: tuple[Problem, ...] = (),
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.problems = problems
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})


class Invalid(Error):
    code = "invalid"
    title = "The request is invalid."


class Unparsable(Invalid):
    code = "unparsable"
    title = "The request cannot be parsed."


class Unauthenticated(Error):
    code = "unauthenticated"
    title = "A valid API key is required."


class Forbidden(Error):
    code = "forbidden"
    title = "This key does not permit that."


class NotFound(Error):
    code = "not_found"
    title = "Not found."


class Conflict(Error):
    code = "conflict"
    title = "This conflicts with the current state."


class Stale(Conflict):
    code = "stale"
    title = "This has changed since you last read it."


class LimitReached(Error):
    code = "limit_reached"
    title = "A limit of this account or key has been reached."


class TooLarge(Error):
    code = "too_large"
    title = "The request is too large."


class Unavailable(Error):
    code = "unavailable"
    title = "Temporarily unavailable; try again."


class Overloaded(Unavailable):
    code = "overloaded"
    title = "The server is overloaded; try again."


# More specific kinds come first.
KINDS: tuple[type[Error], ...] = (
    Unparsable,
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Stale,
    Conflict,
    LimitReached,
    TooLarge,
    Unavailable,
)


def kind_of(error: Error | type[Error]) -> type[Error]:
    """Return the most specific kind that an error belongs to."""
    cls = error if isinstance(error, type) else type(error)
    return next(kind for kind in KINDS if issubclass(cls, kind))


def catalogue() -> Iterator[type[Error]]:
    """Return every error class defined so far, including the kinds, sorted by code."""
    by_code: dict[str, type[Error]] = {}
    pending: list[type[Error]] = list(KINDS)
    while pending:
        cls = pending.pop()
        by_code[cls.code] = cls
        pending.extend(cls.__subclasses__())
    return iter(sorted(by_code.values(), key=lambda cls: cls.code))
