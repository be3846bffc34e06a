"""Uploading a folder: pace, resumption, and failures of single files."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from pathlib import Path

import httpx
import pytest
from conftest import DOCUMENT, Server, ok, problem

from paliapi_client import AsyncClient, Client, FileResult, Forbidden, InvalidRequest

LIMITS = {
    "RateLimit": '"key";r=100;t=1, "owner";r=500;t=1',
    "RateLimit-Policy": '"key";q=120;w=12, "owner";q=480;w=12',
}


class Store:
    """Accepts documents, and refuses every so many requests."""

    def __init__(self, refuse_every: int = 0) -> None:
        self.documents: dict[str, bytes] = {}
        self.uploads = 0
        self.refuse_every = refuse_every
        self.lock = threading.Lock()
        self.active = self.most_active = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/usage/":
            return ok(dict.fromkeys(USAGE, 5) | {"uploads_at_once": 3})
        if path == "/v1/documents/":
            return ok([self._document(name) for name in self.documents])
        if path == "/v1/jobs/":
            return ok([])
        with self.lock:
            self.uploads += 1
            if self.refuse_every and self.uploads % self.refuse_every == 0:
                return problem(429, "rate_limited", Retry_After="0")
        parts = dict(re.findall(rb'name="(\w+)"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', request.read(), re.DOTALL))
        if parts[b"file"] == b"bad":
            return problem(422, "unsupported_type")
        self.documents[parts[b"name"].decode()] = parts[b"file"]
        answer = {"detail": "x", "status": "queued", "id": 1, "name": parts[b"name"].decode(), "collection_name": "r"}
        return httpx.Response(202, json=answer, headers=LIMITS)

    def _document(self, name: str) -> dict[str, object]:
        return {**DOCUMENT, "name": name, "sha256": hashlib.sha256(self.documents[name]).hexdigest()}


USAGE = (
    "collections",
    "documents",
    "pages",
    "bytes",
    "max_collections",
    "max_documents",
    "max_pages",
    "max_bytes",
    "requests_per_minute",
    "requests_at_once",
    "searches_at_once",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        file = tmp_path / f"{number % 3}" / f"{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"page {number}")
    (tmp_path / "0" / "bad.txt").write_text("bad")
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "0" / "skipped.tmp").write_text("no")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def test_refusals_for_the_moment_reach_nobody(server: Server, client: Client, folder: Path) -> None:
    store = Store(refuse_every=3)
    server.answer(store)
    seen: list[FileResult] = []
    result = client.documents.upload_folder(folder, collection_name="r", exclude=["*.tmp"], on_result=seen.append)
    assert len(store.documents) == 20
    assert store.documents["2/5.txt"] == b"page 5"
    assert [file.name for file in result.failed] == ["0/bad.txt"]
    assert {file.status for file in result.files} == {"stored", "failed"}
    assert sorted(file.name for file in seen) == [file.name for file in result.files]
    with pytest.raises(InvalidRequest):
        result.raise_for_failures()


def test_repeating_sends_only_what_is_new_or_changed(server: Server, client: Client, folder: Path) -> None:
    store = Store()
    server.answer(store)
    client.documents.upload_folder(folder, pattern="*.txt")
    (folder / "0" / "0.txt").write_text("changed")
    store.uploads = 0
    result = client.documents.upload_folder(folder, pattern="*.txt")
    assert store.uploads == 2, "the changed one, and the bad one again"
    assert sum(file.status == "unchanged" for file in result.files) == 19


def test_a_key_that_may_not_upload_is_noticed_once(server: Server, client: Client, folder: Path) -> None:
    server.answer(lambda request: ok([]) if request.url.path == "/v1/documents/" else problem(403, "scope_missing"))
    with pytest.raises(Forbidden):
        client.documents.upload_folder(folder, parallel=1).raise_for_failures()
    assert sum(request.method == "POST" for request in server.requests) == 1


def test_the_budget_is_respected_before_it_is_used_up() -> None:
    from paliapi_client.flows.pacing import Pacer  # noqa: PLC0415 - the only test of the inside
    from paliapi_client.flows.steps import Response  # noqa: PLC0415

    pacer = Pacer(parallel=2)
    assert pacer.reserve() == 0
    headers = {"ratelimit": '"key";r=7;t=9, "owner";r=99;t=1', "ratelimit-policy": '"key";q=60;w=60, "owner";q=99;w=9'}
    pacer.note(Response(202, headers, b""))
    assert [pacer.reserve() > 0 for _ in range(3)] == [False, False, True]
    pacer.hold(30)
    assert 29 < pacer.reserve() <= 30


def test_with_asyncio(server: Server, async_client: AsyncClient, folder: Path) -> None:
    async def main() -> None:
        result = await async_client.documents.upload_folder(folder, pattern="*.txt", wait=True)
        assert {file.status for file in result.files} == {"ready", "failed"}
        await async_client._runtime.http.aclose()

    store = Store(refuse_every=4)
    server.answer(store)
    asyncio.run(main())
    assert len(store.documents) == 20


def test_what_is_no_folder_is_refused(client: Client, server: Server, tmp_path: Path) -> None:
    server.answer(ok([]))
    with pytest.raises(NotADirectoryError):
        client.documents.upload_folder(tmp_path / "none")
