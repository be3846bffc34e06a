"""Uploads, and following them by events or by polling."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ACCEPTED, DOCUMENT, Server, ok, problem

from paliapi_client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    Forbidden,
    ProcessingFailed,
    Progress,
    ServerError,
    UnexpectedAnswer,
)

CONTENT = bytes(range(256)) * 1000


def event(status: str, name: str = "progress", **fields: Any) -> str:
    job = {"document_name": "a.pdf", "collection_name": "reports", "status": status, **fields}
    return f": comment\nid: 7-{status}\nevent: {name}\ndata: {json.dumps(job)}\n\n"


def stream(*events: str) -> httpx.Response:
    return httpx.Response(200, text="".join(events), headers={"Content-Type": "text/event-stream"})


def accepted() -> httpx.Response:
    return ok(ACCEPTED, 202)


class Slow(io.RawIOBase):
    """A file that cannot be rewound."""

    def __init__(self) -> None:
        self.left = [CONTENT]

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - all at once
        return self.left.pop() if self.left else b""


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "offset", "stream"])
def test_every_source_is_sent_whole_also_when_it_is_repeated(
    server: Server, client: Client, slept: list[float], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "größe.pdf"
    path.write_bytes(CONTENT)
    offset = io.BytesIO(b"head" + CONTENT)
    offset.seek(4)
    with path.open("rb") as file:
        sources: dict[str, Any] = {
            "path": path,
            "text": str(path),
            "bytes": CONTENT,
            "file": file,
            "offset": offset,
            "stream": Slow(),
        }
        server.answer(httpx.WriteError("broken"), problem(503, "overloaded"), accepted())
        name = None if kind in ("path", "text", "file") else "größe.pdf"
        client.documents.upload(sources[kind], name=name, metadata={"a": [1, "ü"]}, collection_name="reports")
    first, *others = server.bodies
    boundary = re.compile(rb"--[0-9a-f]{32}")
    assert CONTENT in first
    assert b"\r\n\r\n" + "größe.pdf".encode() + b"\r\n" in first
    assert [boundary.sub(b"", body) for body in others] == [boundary.sub(b"", first)] * 2
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert server.requests[0].headers["Content-Length"] == str(len(first))


@pytest.mark.parametrize("source", [io.StringIO("text"), 5, None, b"without a name"])
def test_other_sources_are_refused(client: Client, source: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        client.documents.upload(source)


def test_progress_is_of_bytes_and_then_of_pages(server: Server, client: Client) -> None:
    seen: list[Progress] = []
    events = stream(event("queued"), event("embedding", pages_done=1, pages_total=2), event("ready", "end"))
    server.answer(accepted(), events, ok(DOCUMENT))
    document = client.documents.upload(CONTENT, name="a.pdf", wait=True, on_progress=seen.append)
    assert document.status == "ready"
    sizes = [progress.bytes_sent for progress in seen if progress.status == "uploading"]
    assert sizes == sorted(sizes)  # type: ignore[type-var]
    assert sizes[-1] == len(CONTENT)
    assert [progress.status for progress in seen][-3:] == ["queued", "embedding", "ready"]


def test_a_stream_that_ends_is_resumed_where_it_was(server: Server, client: Client) -> None:
    server.answer(accepted(), stream(event("rendering")), stream(event("ready", "end")), ok(DOCUMENT))
    client.documents.upload(CONTENT, name="a.pdf", wait=True)
    assert server.requests[2].headers["Last-Event-ID"] == "7-rendering"


@pytest.mark.parametrize(
    "refusal",
    [problem(503, "streams_busy"), problem(429, "too_many_at_once"), httpx.Response(504), httpx.ReadError("broken")],
    ids=["server", "account", "proxy", "broken"],
)
def test_without_events_the_document_is_polled(
    server: Server, client: Client, slept: list[float], refusal: httpx.Response | Exception
) -> None:
    states = iter(["queued", "rendering", "ready"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return accepted()
        if request.url.path.endswith("/events/"):
            if isinstance(refusal, Exception):
                raise refusal
            return httpx.Response(refusal.status_code, content=refusal.content)
        return ok({**DOCUMENT, "status": next(states, "ready")})

    server.answer(answer)
    seen: list[Progress] = []
    assert client.documents.upload(CONTENT, name="a.pdf", wait=True, on_progress=seen.append).status == "ready"
    assert [progress.status for progress in seen if progress.bytes_sent is None] == ["queued", "rendering", "ready"]


def test_a_key_that_may_not_read_is_told_so(server: Server, client: Client) -> None:
    server.answer(accepted(), problem(403, "scope_missing"))
    with pytest.raises(Forbidden):
        client.documents.upload(CONTENT, name="a.pdf", wait=True)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (event("failed", "end", error={"code": "file_damaged", "detail": "It is damaged."}), "file_damaged"),
        (event("cancelled", "end"), "cancelled"),
        (event("superseded", "end"), "superseded"),
        (event("deleted", "end"), "deleted"),
    ],
)
def test_an_upload_that_comes_to_nothing_raises_why(server: Server, client: Client, end: str, code: str) -> None:
    server.answer(accepted(), stream(end), ok({**DOCUMENT, "status": "failed"}))
    with pytest.raises(ProcessingFailed) as caught:
        client.documents.upload(CONTENT, name="a.pdf", wait=True)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["data: {\n\n", "data: []\n\n", "data: " + "x" * 2_000_000])
def test_events_of_something_else(server: Server, client: Client, text: str) -> None:
    server.answer(stream(text))
    with pytest.raises(UnexpectedAnswer):
        list(client.documents.follow("a.pdf"))


def test_the_deadline_covers_the_processing(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(accepted(), problem(503, "streams_busy"), ok({**DOCUMENT, "status": "queued"}))
    with pytest.raises(DeadlineExceeded):
        client.documents.upload(CONTENT, name="a.pdf", wait=True, timeout=0.05)


def test_following_with_asyncio(server: Server, async_client: AsyncClient) -> None:
    async def main() -> list[str]:
        server.answer(accepted(), stream(event("ready", "end")), ok(DOCUMENT))
        await async_client.documents.upload(CONTENT, name="a.pdf", wait=True)
        server.answer(stream(event("queued"), event("ready", "end")))
        statuses = [progress.status async for progress in async_client.documents.follow("a.pdf")]
        await async_client._runtime.http.aclose()
        return statuses

    assert asyncio.run(main()) == ["queued", "ready"]


def test_a_server_that_is_restarted_is_waited_for(server: Server, client: Client, slept: list[float]) -> None:
    away = iter([True] * 12)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return accepted()
        if next(away, False):
            raise httpx.ConnectError("restarting", request=request)
        return problem(503, "streams_busy") if request.url.path.endswith("/events/") else ok(DOCUMENT)

    server.answer(answer)
    assert client.documents.upload(CONTENT, name="a.pdf", wait=True).status == "ready"


def test_a_failure_of_the_server_is_not_waited_out(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(accepted(), problem(503, "streams_busy"), problem(500, "internal_error"))
    with pytest.raises(ServerError):
        client.documents.upload(CONTENT, name="a.pdf", wait=True)
    assert len(server.requests) == 3
