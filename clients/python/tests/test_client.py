"""The address, the key, names in paths, and lists."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle

import httpx
import pytest
from conftest import COLLECTION, DOCUMENT, URL, Server, ok

from paliapi_client import AsyncClient, Client, UnexpectedAnswer


@pytest.mark.parametrize("given", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_the_address_may_have_the_version(given: str) -> None:
    with Client(given, "k") as client:
        assert client.base_url == f"{URL}/v1"


@pytest.mark.parametrize("given", ["pali.example", "ftp://pali.example", "https://", "https://a:b@c", "https://a/?b=1"])
def test_other_addresses_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Client(given, "k")


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nX-Evil: 1", "schlüssel"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Client(URL, key)


def test_the_environment_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIAPI_URL", "https://elsewhere.example")
    monkeypatch.setenv("PALIAPI_API_KEY", "pali_from_environment")
    with Client() as client:
        assert client.base_url == "https://elsewhere.example/v1"
        assert client._runtime.connection.headers()["Authorization"] == "Bearer pali_from_environment"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("2026/q1 report?.pdf", "/v1/documents/2026%2Fq1%20report%3F.pdf/"),
        ("..", "/v1/documents/%2E%2E/"),
        ("../collections", "/v1/documents/..%2Fcollections/"),
        ("größe#1", "/v1/documents/gr%C3%B6%C3%9Fe%231/"),
    ],
)
def test_names_stay_names(server: Server, client: Client, name: str, path: str) -> None:
    server.answer(ok(DOCUMENT))
    client.documents.get(name, collection_name="reports & more")
    assert server.requests[0].url.raw_path.decode() == f"{path}?collection_name=reports+%26+more"


def test_lists_are_requested_page_by_page_from_the_same_server(server: Server, client: Client) -> None:
    first = ok([COLLECTION], Link='<https://evil.example/v1/keys/?limit=1&cursor=a%3Ab>; rel="next"')
    server.answer(first, ok([{**COLLECTION, "name": "second"}]))
    names = [collection.name for collection in client.collections.list(page_size=1)]
    assert names == ["reports", "second"]
    assert [str(request.url) for request in server.requests] == [
        f"{URL}/v1/collections/?limit=1",
        f"{URL}/v1/collections/?limit=1&cursor=a%3Ab",
    ]


def test_a_list_is_requested_as_it_is_needed(server: Server, client: Client) -> None:
    server.answer(ok([COLLECTION] * 2, Link='</v1/collections/?cursor=x>; rel="next"'))
    rows = client.collections.list()
    assert server.requests == []
    next(rows)
    next(rows)
    assert len(server.requests) == 1


def test_pages_that_lead_in_a_circle_are_noticed(server: Server, client: Client) -> None:
    server.answer(ok([], Link='</v1/collections/?cursor=x>; rel="next"'))
    with pytest.raises(UnexpectedAnswer, match="back"):
        list(client.collections.list())


def test_lists_with_asyncio(server: Server, async_client: AsyncClient) -> None:
    async def main() -> list[str]:
        async with httpx.AsyncClient():
            names = [collection.name async for collection in async_client.collections.list()]
        await async_client._runtime.http.aclose()
        return names

    server.answer(ok([COLLECTION], Link='<x?cursor=y>; rel="next"'), ok([COLLECTION]))
    assert asyncio.run(main()) == ["reports", "reports"]


def test_images_are_found_where_their_links_lead_nowhere(server: Server, client: Client, slept: list[float]) -> None:
    hit = {
        "collection_name": "reports",
        "collection_id": 7,
        "document_name": "a.pdf",
        "document_id": 42,
        "page_number": 3,
        "page_id": 1207,
        "img_base64": "",
        "image_url": "https://inside.example/v1/files/pages/token",
        "width": 1190,
        "height": 1684,
    }

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "inside.example":
            assert "Authorization" not in request.headers
            raise httpx.ConnectError("no such host", request=request)
        return ok({"results": [hit]}) if request.method == "POST" else httpx.Response(200, content=b"image")

    server.answer(answer)
    found = client.search("light").hits[0]
    assert found.image() == b"image"
    assert dataclasses.asdict(found)["page_number"] == 3
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    assert server.requests[-1].url.path == "/v1/documents/a.pdf/pages/3/image"
