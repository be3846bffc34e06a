"""The kinds of error there are.

Code deep inside raises what happened, by kind; `paliapi.http.problems` turns the kind into a status, once.
The kind also tells a worker whether trying again can help: only `Unavailable` says yes.

    Error
    +-- Invalid             the request cannot be right, whatever the state of the world
    |   +-- Unparsable      it cannot even be read
    +-- Unauthenticated     nobody known is calling
    +-- Forbidden           the caller is known and may not do this
    +-- NotFound            there is no such thing, or it is somebody else's
    +-- Conflict            right in itself, but not with what is there
    |   +-- Stale           the thing has changed since the caller last saw it
    +-- LimitReached        too many or too much, for this caller
    +-- TooLarge            this one thing is too big
    +-- Unavailable         not now; the same call may work later

Every concrete error is a subclass with a stable `code` and a `title`, listed in docs/errors.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one place of the request; `pointer` is a JSON pointer such as `/metadata/year`."""

    pointer: str
    code: str
    detail: str


class Error(Exception):
    """The base. Raise a subclass that says what happened."""

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
    title = "The request is not valid."


class Unparsable(Invalid):
    code = "unparsable"
    title = "The request cannot be read."


class Unauthenticated(Error):
    code = "unauthenticated"
    title = "A valid API key is needed."


class Forbidden(Error):
    code = "forbidden"
    title = "This key may not do that."


class NotFound(Error):
    code = "not_found"
    title = "There is no such thing here."


class Conflict(Error):
    code = "conflict"
    title = "This does not go with what is already there."


class Stale(Conflict):
    code = "stale"
    title = "This has changed since you last read it."


class LimitReached(Error):
    code = "limit_reached"
    title = "A limit of this account or key is reached."


class TooLarge(Error):
    code = "too_large"
    title = "The request is too large."


class Unavailable(Error):
    code = "unavailable"
    title = "Not available at the moment; try again."


# The more specific kind first.
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
    """The kind an error belongs to; the most specific kind wins."""
    cls = error if isinstance(error, type) else type(error)
    return next(kind for kind in KINDS if issubclass(cls, kind))


def catalogue() -> Iterator[type[Error]]:
    """Every error class that has been defined so far, the kinds included, each once, by code."""
    seen: dict[str, type[Error]] = {}
    todo: list[type[Error]] = list(KINDS)
    while todo:
        cls = todo.pop()
        seen[cls.code] = cls
        todo.extend(cls.__subclasses__())
    return iter(sorted(seen.values(), key=lambda cls: cls.code))
