"""The retriever, against answers of an API in memory."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from langchain_core.documents import Document
from paliapi_client import AsyncClient, Client, F, Unauthorized

from langchain_paliapi import PaliAPIRetriever, content_blocks

HIT = {
    "collection_name": "reports",
    "collection_id": 7,
    "collection_metadata": {},
    "document_name": "annual-report.pdf",
    "document_id": 42,
    "document_metadata": {"year": 2026},
    "page_number": 3,
    "page_id": 1207,
    "raw_score": 14.8,
    "normalized_score": 0.87,
    "img_base64": "iVBORw0KGgo=",
    "image_url": "http://paliapi/v1/files/pages/token",
    "thumbnail_url": None,
    "width": 1240,
    "height": 1754,
    "text": "The tallest lighthouse is at Jeddah.",
    "regions": {
        "boxes": [{"box": [0.1, 0.2, 0.3, 0.4], "score": 0.9, "tokens": [0], "text": "Jeddah"}],
        "n_x": 2,
        "n_y": 2,
        "tokens": [],
    },
}


class API(httpx.MockTransport):
    """Answers every search with one hit, and remembers the bodies."""

    def __init__(self, status: int = 200) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = status
        super().__init__(self.reply)

    def reply(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        body = {"query": "", "results": [HIT]} if self.status == 200 else {"code": "unauthenticated", "detail": "No."}
        return httpx.Response(self.status, json=body)


def retriever(api: API, **fields: Any) -> PaliAPIRetriever:
    client = Client("http://paliapi", "pali_key", http_client=httpx.Client(transport=api))
    async_client = AsyncClient("http://paliapi", "pali_key", http_client=httpx.AsyncClient(transport=api))
    return PaliAPIRetriever(client=client, async_client=async_client, **fields)


def test_page_becomes_a_document() -> None:
    (document,) = retriever(API()).invoke("tallest?")
    assert (document.id, document.page_content) == ("1207", "The tallest lighthouse is at Jeddah.")
    expected = {"source": "annual-report.pdf", "page_number": 3, "collection_name": "reports", "score": 0.87}
    assert expected.items() <= document.metadata.items()
    assert document.metadata["document_metadata"] == {"year": 2026}
    assert document.metadata["image_url"] == HIT["image_url"]
    assert document.metadata["regions"][0]["text"] == "Jeddah"
    json.dumps(document.metadata)


def test_fields_and_options_are_sent() -> None:
    api = API()
    finder = retriever(api, collection_name="reports", k=7, filter=F("year") >= 2024, regions=True, images="base64")
    finder.invoke("a")
    finder.invoke("a", k=1, collections=["x", "y"], regions=False)
    assert api.bodies[0] == {
        "query": "a",
        "collection_name": "reports",
        "query_filter": {"key": "year", "op": "gte", "value": 2024},
        "top_k": 7,
        "images": "base64",
        "include": ["text", "regions"],
    }
    assert (api.bodies[1]["top_k"], api.bodies[1]["collections"]) == (1, ["x", "y"])
    assert "collection_name" not in api.bodies[1]
    assert api.bodies[1]["include"] == ["text"]


async def test_asyncio_gives_the_same() -> None:
    api = API()
    finder = retriever(api)
    assert await finder.ainvoke("a", k=2) == finder.invoke("a", k=2)
    assert api.bodies[0] == api.bodies[1]


def test_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="top_k"):
        retriever(API()).invoke("a", top_k=3)


def test_errors_are_those_of_the_client() -> None:
    with pytest.raises(Unauthorized):
        retriever(API(401)).invoke("a")


def test_key_is_not_shown() -> None:
    assert "pali_secret" not in repr(PaliAPIRetriever(api_key="pali_secret"))


def test_pages_become_content_blocks() -> None:
    (document,) = retriever(API()).invoke("a")
    text, image = content_blocks([document])
    assert text["text"].startswith("[1] annual-report.pdf, page 3\nThe tallest")
    assert image == {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    without = Document("x", metadata={"document_name": "a", "page_number": 1})
    assert [block["type"] for block in content_blocks([without], text=False)] == ["text"]
