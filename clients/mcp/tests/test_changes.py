"""The tools that change documents."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from connections import over_http, over_stdio, refusal, texts
from fake_paliapi import READ_KEY, WRITE_KEY, FakeAPI, problem
from mcp import Client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def writer(api: FakeAPI, http_url: str) -> AsyncIterator[Client]:
    async with over_http(http_url, WRITE_KEY) as client:
        yield client


async def test_document_is_added_by_url_or_base64(api: FakeAPI, writer: Client) -> None:
    url = "https://example.com/a/annual%20report.pdf?x=1"
    added = await writer.call_tool("add_document", {"collection": "reports", "url": url})
    assert added.structured_content == {"name": "annual report.pdf", "collection": "reports", "status": "queued"}
    assert "document_status says" in texts(added)[0]
    assert (api.bodies[0]["url"], api.bodies[0]["name"]) == (url, "annual report.pdf")
    content = base64.b64encode(b"%PDF-1.7 a file").decode()
    await writer.call_tool("add_document", {"collection": "new", "name": "b.pdf", "base64": content})
    sent = api.bodies[1]
    assert sent["name"] == "b.pdf"
    assert sent.get("file") == b"%PDF-1.7 a file" or base64.b64decode(sent["base64"]) == b"%PDF-1.7 a file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Pass exactly one of url or base64."),
        ({"url": "https://a.test/b", "base64": "AAAA"}, "Pass exactly one of url or base64."),
        ({"url": "file:///etc/passwd"}, "must start with https:// or http://"),
        ({"url": "https:///x"}, "must start with https:// or http://"),
        ({"url": "https://a.test/"}, "Pass the name of the document."),
        ({"base64": "AAAA"}, "Pass the name of the document."),
        ({"base64": "not base64!", "name": "x"}, "`base64` is not valid"),
        ({"path": "/etc/passwd", "name": "x"}, "- path: Extra inputs are not permitted"),
        ({"url": "https://a.test/b", "metadata": "[1]"}, "- metadata: Input should be a valid dictionary"),
        ({"url": "https://a.test/lights.pdf", "name": "sea/lights.pdf"}, "already has a document named"),
    ],
)
async def test_what_cannot_be_added_is_refused(
    api: FakeAPI, writer: Client, arguments: dict[str, str], message: str
) -> None:
    result = await writer.call_tool("add_document", {"collection": "reports", **arguments})
    assert message in refusal(result)
    assert api.bodies == []


async def test_document_is_deleted_from_one_collection(api: FakeAPI, writer: Client) -> None:
    arguments = {"document": "sea/lights.pdf", "collection": "ALL"}
    assert "must name one collection" in refusal(await writer.call_tool("delete_document", arguments))
    missing = await writer.call_tool("delete_document", {**arguments, "collection": "drafts"})
    assert "Call list_documents" in refusal(missing)
    assert api.deleted == []
    result = await writer.call_tool("delete_document", {**arguments, "collection": "reports"})
    assert result.structured_content == {"deleted": "sea/lights.pdf", "collection": "reports"}
    assert api.deleted == ["sea/lights.pdf"]


async def test_key_without_write_is_told_so(api: FakeAPI, http_url: str) -> None:
    api.failure = problem(403, "scope_missing", "This key lacks the scope write.")
    async with over_http(http_url, READ_KEY) as client:
        result = await client.call_tool("delete_document", {"document": "a", "collection": "reports"})
    assert refusal(result).startswith("This key lacks the scope write.\nThe API key does not permit this.")


async def test_files_are_added_by_path_only_below_folders_that_are_allowed(api: FakeAPI, tmp_path: Path) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    for folder in (allowed, outside, tmp_path / "allowed-too"):
        folder.mkdir()
        (folder / "a.txt").write_text(f"from {folder.name}")
    (allowed / "link.txt").symlink_to(outside / "a.txt")
    (allowed / "folder").symlink_to(outside)
    os.mkfifo(allowed / "pipe")
    refused = [
        outside / "a.txt",
        tmp_path / "allowed-too" / "a.txt",
        allowed / ".." / "outside" / "a.txt",
        allowed / "link.txt",
        allowed / "folder" / "a.txt",
        allowed / "pipe",
        allowed / "missing.txt",
        allowed,
        Path("a.txt"),
    ]
    async with over_stdio(api.url, "--allow-folder", str(allowed), key=WRITE_KEY) as client:
        for path in refused:
            result = await client.call_tool("add_document", {"collection": "c", "name": "x", "path": str(path)})
            assert str(allowed) in refusal(result), path
        assert api.bodies == []
        result = await client.call_tool("add_document", {"collection": "c", "path": str(allowed / "a.txt")})
    assert not result.is_error, result
    assert (api.bodies[0]["name"], api.bodies[0]["file"]) == ("a.txt", b"from allowed")
