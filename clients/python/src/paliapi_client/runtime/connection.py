"""What both runtimes share: the address, the key, and requests as httpx takes them."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from paliapi_client.errors import DeadlineExceeded, UnexpectedAnswer
from paliapi_client.flows.steps import Attempt, Request, Response
from paliapi_client.version import __version__

DEFAULT_URL = "http://localhost:8001"
MAX_ANSWER_BYTES = 1 << 30
POOL = httpx.Limits(max_connections=100, max_keepalive_connections=20)


@dataclass(frozen=True, slots=True)
class Connection:
    """The server, and who speaks to it."""

    base_url: str
    api_key: str | None = field(repr=False)

    @classmethod
    def of(cls, base_url: str | None, api_key: str | None) -> Connection:
        """Return the connection of the arguments, or else of `PALIAPI_URL` and `PALIAPI_API_KEY`."""
        url = base_url or os.environ.get("PALIAPI_URL") or DEFAULT_URL
        key = api_key if api_key is not None else os.environ.get("PALIAPI_API_KEY")
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"The URL of the server is not valid: {url!r}; it is like {DEFAULT_URL}.")
        if parts.username or parts.password:
            raise ValueError("The URL of the server has a user name; the key belongs in api_key.")
        if key is not None:
            key = key.strip()
            if not key or not key.isascii() or not key.isprintable() or " " in key:
                raise ValueError("The API key is empty or has characters that no key has.")
        root = url.strip().rstrip("/")
        return cls(root if root.endswith("/v1") else f"{root}/v1", key)

    def headers(self) -> dict[str, str]:
        """Return the headers of every request to the server."""
        headers = {"Accept": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return headers


def user_agent() -> str:
    """Return the name of this client."""
    return f"paliapi-client/{__version__} python/{platform.python_version()}"


def http_arguments(connection: Connection, request: Request[Any]) -> dict[str, Any]:
    """Return a request as `httpx.Client.build_request` takes it."""
    headers = {} if request.signed_url else connection.headers()
    headers.update({name: value for name, value in request.headers.items() if value is not None})
    arguments: dict[str, Any] = {
        "method": request.method,
        "url": request.signed_url or connection.base_url + request.path,
        "headers": headers,
    }
    params = {name: value for name, value in request.params.items() if value is not None}
    if params:
        arguments["params"] = params
    if request.json is not None:
        arguments["json"] = request.json
    return arguments


def timeout_of(attempt: Attempt) -> httpx.Timeout:
    """Return how long the attempt may stand still."""
    left = attempt.timeout_s
    if attempt.deadline is not None:
        remaining = attempt.deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded(f"{attempt.request.method} {attempt.request.path}: the time is up.")
        left = remaining if left is None else min(left, remaining)
    return httpx.Timeout(left, connect=min(left or 10.0, 10.0))


class BodyReader:
    """Collects the chunks of an answer, up to a size and until the deadline."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Take the next chunk."""
        self._size += len(chunk)
        if self._size > MAX_ANSWER_BYTES:
            raise UnexpectedAnswer(f"The answer is larger than {MAX_ANSWER_BYTES} bytes.")
        deadline = self._attempt.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineExceeded(f"{self._attempt.request.method} {self._attempt.request.path}: the time is up.")
        self._chunks.append(chunk)

    def response(self, answer: httpx.Response) -> Response:
        """Return the whole answer."""
        return Response(answer.status_code, answer.headers, b"".join(self._chunks))
