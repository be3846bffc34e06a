"""An agent's work with a running PaliAPI, at PALIAPI_URL, through `paliapi-mcp` as it was installed."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ImageContent, TextContent
from PIL import Image

URL, KEY = os.environ["PALIAPI_URL"].rstrip("/"), os.environ["PALIAPI_API_KEY"]
ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("paliapi-mcp"))
COLLECTION = "journey-mcp"
ADDED = ["lighthouses.pdf", "note", "by-url.pdf"]
READING = ["search", "get_page", "list_collections", "list_documents", "document_status"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def read_key() -> Iterator[str]:
    with httpx2.Client(base_url=f"{URL}/v1", headers={"Authorization": f"Bearer {KEY}"}) as api:
        made = api.post("/keys/", json={"name": "journey-mcp", "scopes": ["read", "search"]}).raise_for_status().json()
        yield made["key"]
        api.delete(f"/keys/{made['id']}/")


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> Path:
    shutil.copy(sample, tmp_path / "lighthouses.pdf")
    return tmp_path


@pytest.fixture
def url(files: Any, sample: Path) -> str:
    files.content = sample.read_bytes()
    return f"{files.url}/by-url.pdf"


@asynccontextmanager
async def over_stdio(folder: Path) -> AsyncIterator[Client]:
    environ = {"PALIAPI_URL": URL, "PALIAPI_API_KEY": KEY}
    async with Client(
        StdioServerParameters(command=COMMAND, args=["--allow-folder", str(folder)], env=environ)
    ) as client:
        yield client


@pytest.fixture
def http_url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {"PATH": os.defpath, "PALIAPI_URL": URL}
    process = subprocess.Popen([COMMAND, "--http", "--port", str(port)], env=environ, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                httpx2.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=20)


def text_of(result: CallToolResult) -> str:
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    assert not result.is_error, text
    return text


def images_of(result: CallToolResult) -> list[Image.Image]:
    blocks = [block for block in result.content if isinstance(block, ImageContent)]
    return [Image.open(BytesIO(base64.b64decode(block.data))) for block in blocks]


async def ready(client: Client, name: str) -> dict[str, Any]:
    with anyio.fail_after(120):
        while True:
            result = await client.call_tool("document_status", {"document": name, "collection": COLLECTION})
            text_of(result)
            status: dict[str, Any] = result.structured_content
            if status["status"] in ("ready", "failed", "cancelled"):
                return status
            await anyio.sleep(0.3)


@pytest.mark.anyio
async def test_an_agent_adds_finds_reads_and_deletes_documents(
    folder: Path, url: str, http_url: str, read_key: str
) -> None:
    async with over_stdio(folder) as client:
        assert [tool.name for tool in (await client.list_tools()).tools][-2:] == ["add_document", "delete_document"]
        path = str(folder / "lighthouses.pdf")
        await add_and_find(client, path, url)
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {read_key}"}, timeout=60) as http,
            Client(streamable_http_client(http_url, http_client=http)) as reader,
        ):
            assert [tool.name for tool in (await reader.list_tools()).tools] == READING
            found = await reader.call_tool("search", {"query": "Eddystone", "collections": [COLLECTION]})
            assert "lighthouses.pdf" in text_of(found)
            refused = await reader.call_tool("delete_document", {"document": "note", "collection": COLLECTION})
            assert refused.is_error
            assert "does not permit" in str(refused.content)
        for name in ADDED:
            text_of(await client.call_tool("delete_document", {"document": name, "collection": COLLECTION}))
        gone = await client.call_tool("get_page", {"document": "note", "page": 1, "collection": COLLECTION})
        assert gone.is_error
        assert "Call list_documents" in str(gone.content)


async def add_and_find(client: Client, path: str, url: str) -> None:
    text_of(
        await client.call_tool("add_document", {"collection": COLLECTION, "path": path, "metadata": {"year": 2026}})
    )
    note = base64.b64encode(b"The harbour closes at nine. Keeper: A. Fresnel.").decode()
    text_of(await client.call_tool("add_document", {"collection": COLLECTION, "name": "note", "base64": note}))
    text_of(await client.call_tool("add_document", {"collection": COLLECTION, "url": url}))
    pages = {name: (await ready(client, name))["searchable_pages"] for name in ADDED}
    assert pages == {"lighthouses.pdf": 3, "note": 1, "by-url.pdf": 3}
    again = await client.call_tool("add_document", {"collection": COLLECTION, "path": path})
    assert again.is_error
    assert "already has a document" in str(again.content)

    search = {"query": "How far is a light seen?", "collections": [COLLECTION]}
    whole = await client.call_tool("search", {**search, "top_k": 2})
    assert "How far a light is seen" in text_of(whole)
    parts = await client.call_tool("search", {**search, "top_k": 2, "images": "regions"})
    [page, *_], [part, *_] = images_of(whole), images_of(parts)
    assert part.width * part.height < 0.8 * page.width * page.height
    of_2026 = {**search, "filter": {"key": "year", "op": "gte", "value": 2026}, "images": "none", "top_k": 20}
    text = text_of(await client.call_tool("search", of_2026))
    assert "lighthouses.pdf" in text
    assert '"note"' not in text

    arguments = {"document": "lighthouses.pdf", "page": 3, "collection": COLLECTION}
    third = await client.call_tool("get_page", {**arguments, "region": [0, 0, 1, 0.5]})
    assert "How far a light is seen" in text_of(third)
    [top] = images_of(third)
    assert top.width > top.height
    listed = await client.call_tool("list_documents", {"collection": COLLECTION, "name_contains": "LIGHT"})
    assert [one["name"] for one in listed.structured_content["documents"]] == ["lighthouses.pdf"]
    [resource] = (await client.read_resource(f"paliapi://page/{COLLECTION}/lighthouses.pdf/3/text")).contents
    assert "How far a light is seen" in str(resource)


def test_lines_in_the_documentation_run(sample: Path) -> None:
    section = (ROOT / "docs" / "clients.md").read_text().split("## Agents")[1].split("\n## ")[0]
    blocks = dict(re.findall(r"^```(json|py)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    assert json.loads(blocks["json"])["mcpServers"]["paliapi"]["command"] == "paliapi-mcp"
    headers, form = {"Authorization": f"Bearer {KEY}"}, {"name": "lighthouses", "collection_name": COLLECTION}
    with httpx2.Client(base_url=f"{URL}/v1", headers=headers, timeout=60) as api, sample.open("rb") as file:
        api.post("/documents/upsert-document/", data={**form, "wait": "true"}, files={"file": file}).raise_for_status()
        argv = [sys.executable, "-c", blocks["py"]]
        environ = {**os.environ, "PATH": str(Path(sys.executable).parent)}
        ran = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=True)
        api.delete("/documents/lighthouses/", params={"collection_name": COLLECTION})
    assert "\nget_page - Read one page" in ran.stdout
    assert "How far a light is seen" in ran.stdout
    assert "(image)" in ran.stdout
