"""The tool, loaded and called as Open WebUI does."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any

import pytest
from conftest import HIT, Server
from loading import FOLDER, Events, frontmatter, loaded

FILE = "paliapi_tool.py"


def tool(server: Server, **valves: Any) -> Any:
    return loaded(FILE, **{"paliapi_url": server.url, "paliapi_api_key": "pali_admin", **valves})


def search(instance: Any, **options: Any) -> str:
    return str(asyncio.run(instance.search_documents("tallest lighthouse", **options)))


def test_file_describes_itself() -> None:
    assert frontmatter(FILE)["title"] == "PaliAPI"
    assert frontmatter(FILE)["requirements"] == "httpx"


def test_parameters_for_the_model_are_described() -> None:
    for name, method in inspect.getmembers(loaded(FILE), inspect.iscoroutinefunction):
        if name.startswith("_"):
            continue
        shown = [one for one in inspect.signature(method).parameters if not one.startswith("__")]
        assert all(f":param {parameter}: " in method.__doc__ for parameter in shown), name


@pytest.mark.parametrize("file", ["paliapi_tool.py", "paliapi_pipe.py"])
@pytest.mark.parametrize("page", ["clients/open-webui/README.md", "docs/integrations.md"])
def test_pages_name_the_valves_to_fill_in(page: str, file: str) -> None:
    shown = set(re.findall(r"`([a-z_]+)`", (FOLDER.parent.parent / page).read_text()))
    assert {"paliapi_url", "paliapi_api_key", "public_url", "top_k"} <= shown & set(loaded(file).valves.model_dump())


def test_pages_are_returned_with_text_and_cited_with_links(server: Server) -> None:
    events = Events()
    text = search(tool(server, public_url="https://pages.example/"), __event_emitter__=events)
    assert "[1] annual [2026].pdf, page 3" in text
    assert "The tallest lighthouse is at Jeddah." in text
    (citation,) = events.of("citation")
    assert citation["document"] == ["The tallest lighthouse is at Jeddah."]
    assert citation["source"]["url"] == "https://pages.example/v1/files/pages/token"
    assert [status["done"] for status in events.of("status")] == [False, True]
    path, key, body = server.requests[0]
    assert (path, key) == ("/v1/search/", "Bearer pali_admin")
    assert (body["query"], body["collection_name"], body["top_k"]) == ("tallest lighthouse", "all", 5)


def test_users_may_have_their_own_key_and_collection(server: Server) -> None:
    instance = tool(server)
    valves = instance.UserValves(paliapi_api_key="pali_own", collection_name="mine")
    search(instance, __user__={"id": "1", "valves": valves})
    search(instance, __user__={"id": "2", "valves": instance.UserValves()})
    assert [(key, body["collection_name"]) for _, key, body in server.requests] == [
        ("Bearer pali_own", "mine"),
        ("Bearer pali_admin", "all"),
    ]


def test_long_text_is_cut(server: Server) -> None:
    server.replies_with("/v1/search/", {"results": [{**HIT, "text": "x" * 100_000}]})
    assert len(search(tool(server))) < 5000


def test_collections_are_listed(server: Server) -> None:
    assert asyncio.run(tool(server).list_collections()) == "reports\na.b"


@pytest.mark.parametrize(
    ("status", "reply", "expected"),
    [
        (401, {"detail": "A valid API key is required."}, "A valid API key is required."),
        (500, b"<html>", "status 500"),
        (200, b"<html>", "status 200"),
        (200, b"[" * 100_000, "status 200"),
        (200, {"results": [{}]}, "unexpected response"),
        (200, [], "unexpected response"),
        (200, b" " * (17 * 1024 * 1024), "too large"),
        (302, b"", "status 302"),
    ],
)
def test_failures_are_explained_and_never_raised(server: Server, status: int, reply: Any, expected: str) -> None:
    server.replies_with("/v1/search/", reply, status)
    assert expected in search(tool(server))
    assert len(server.requests) == 1, "a redirect is not followed"


def test_missing_key_and_missing_server_are_explained(server: Server) -> None:
    assert "No API key" in search(tool(server, paliapi_api_key=""))
    assert "not reachable" in search(tool(server, paliapi_url="http://127.0.0.1:9"))
    assert "not reachable" in search(tool(server, paliapi_url="http://[::bad"))
