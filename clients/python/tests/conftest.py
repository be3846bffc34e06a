"""A server that answers as a test says, and clients of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from paliapi_client import AsyncClient, Client

URL = "https://pali.example"
KEY = "pali_abc_secret"
Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """Gives the answers of a list in turn, the last one again and again, and keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception | Answer] = []
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def answer(self, *answers: httpx.Response | Exception | Answer) -> None:
        self.answers = list(answers)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        return self._answer(request)

    async def handle_async(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        # A response is read once.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"status": status, "code": code, "detail": f"This is {code}.", "errors": [], "request_id": "r1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/problem+json", **named}
    )


COLLECTION = {
    "id": 1,
    "name": "reports",
    "metadata": {},
    "num_documents": 0,
    "vector_storage": "full",
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}
DOCUMENT = {
    "id": 42,
    "name": "a.pdf",
    "metadata": {},
    "url": f"{URL}/v1/files/token",
    "sha256": None,
    "num_pages": 1,
    "pages_without_text": 0,
    "collection_name": "reports",
    "pages": None,
    "status": "ready",
    "pages_total": 1,
    "pages_done": 1,
    "reused_pages": 0,
    "skipped_pages": [],
    "waiting_for": None,
    "error": None,
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}
ACCEPTED = {"detail": "Queued.", "status": "queued", "id": 42, "name": "a.pdf", "collection_name": "reports"}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with httpx.Client(transport=httpx.MockTransport(server.handle)) as http:
        yield Client(URL, KEY, timeout=5, http_client=http)


@pytest.fixture
def async_client(server: Server) -> AsyncClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(server.handle_async))
    return AsyncClient(URL, KEY, timeout=5, http_client=http)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, which take no time here."""
    pauses: list[float] = []
    monkeypatch.setattr("paliapi_client.runtime.blocking.time.sleep", pauses.append)
    return pauses
