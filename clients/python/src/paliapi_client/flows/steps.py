"""What a flow asks for, and its answers.

A flow is a generator: it yields steps, which a runtime carries out, blocking or with asyncio, and is sent the outcomes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from paliapi_client.errors import UnexpectedAnswer

T = TypeVar("T")
Json = Any
Flow = Generator["Step", Any, T]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was received completely. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """Return the body, which must be JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UnexpectedAnswer(f"The answer is not JSON: {self.body[:80]!r}") from None


class Form(Protocol):
    """A form with files, opened anew for each attempt."""

    def open(self) -> tuple[dict[str, str], list[tuple[str, Any]]]:
        """Return the fields, and the files as httpx takes them."""

    def close(self) -> None:
        """Close the files that `open` opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """A call of one operation, and how to read its answer."""

    method: str
    path: str
    decode: Callable[[Response], T]
    params: Mapping[str, str | int | float | None] = field(default_factory=dict)
    json: Json = None
    form: Form | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    # May be sent again even if an earlier attempt may have taken effect.
    repeatable: bool = True
    # A link that is signed: the key is not sent there, which may be another server.
    signed_url: str | None = None
    # Statuses besides 2xx that `decode` understands.
    expected: frozenset[int] = frozenset()
    # The timeout of the client is not for the whole call. An upload takes as long as it takes, unless it stands still.
    unlimited: bool = False
    # A moment of `time.monotonic`, besides.
    deadline: float | None = None
    # Instead of that of the client.
    max_retries: int | None = None
    on_response: Callable[[Response], None] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send a request once; the outcome is a Response, or an exception of httpx."""

    request: Request[Any]
    timeout_s: float | None
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a stream of server-sent events; the outcome is an opened stream or a Response that is an error."""

    request: Request[Any]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class NextChunk:
    """Read on; the outcome is text, or None at the end."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Give a value to the caller, who iterates."""

    value: Any


@dataclass(frozen=True, slots=True)
class Together:
    """Carry out flows, so many at a time."""

    flows: Iterable[Flow[None]]
    parallel: int


Step = Request[Any] | Attempt | Listen | NextChunk | Sleep | Emit | Together


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A flow that emits values of a type."""

    flow: Flow[None]


def call(request: Request[T]) -> Flow[T]:
    """Carry out a request, with retries, as part of a flow."""
    answer: T = yield request
    return answer


class Stepper(Generic[T]):
    """The state of a flow that a runtime carries out."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.done = False
        self.value: Any = None
        self.step: Any = None
        self.send(None)

    def send(self, outcome: Any) -> None:
        """Go on to the next step."""
        try:
            self.step = self._flow.send(outcome)
        except StopIteration as end:
            self.done, self.value = True, end.value

    def throw(self, error: Exception) -> None:
        """Tell the flow that its step failed."""
        try:
            self.step = self._flow.throw(error)
        except StopIteration as end:
            self.done, self.value = True, end.value

    def close(self) -> None:
        """Give the flow up."""
        self._flow.close()
