"""The retriever, against answers of an API in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from llama_index.core.schema import ImageNode, MetadataMode, QueryBundle, TextNode
from paliapi_client import AsyncClient, Client, F, Unauthorized

from llama_index.retrievers.paliapi import PaliAPIRetriever

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
    "img_base64": "",
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

    def __init__(self, status: int = 200, **fields: Any) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = status
        self.hit = {**HIT, **fields}
        super().__init__(self.reply)

    def reply(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        ok = self.status == 200
        body = {"query": "", "results": [self.hit]} if ok else {"code": "unauthenticated", "detail": "No."}
        return httpx.Response(self.status, json=body)


def retriever(api: API, **options: Any) -> PaliAPIRetriever:
    client = Client("http://paliapi", "pali_key", http_client=httpx.Client(transport=api))
    async_client = AsyncClient("http://paliapi", "pali_key", http_client=httpx.AsyncClient(transport=api))
    return PaliAPIRetriever(client=client, async_client=async_client, **options)


def test_page_becomes_a_node() -> None:
    (found,) = retriever(API()).retrieve("tallest?")
    assert type(found.node) is TextNode
    assert (found.score, found.text) == (0.87, "The tallest lighthouse is at Jeddah.")
    assert found.node.ref_doc_id == "paliapi-document-42"
    assert found.metadata["document_metadata"] == {"year": 2026}
    assert found.metadata["image_url"] == HIT["image_url"]
    assert found.metadata["regions"][0]["text"] == "Jeddah"


def test_models_read_where_a_page_is_from_and_no_links() -> None:
    (found,) = retriever(API()).retrieve("tallest?")
    content = found.get_content(MetadataMode.LLM)
    assert "document_name: annual-report.pdf" in content
    assert "page_number: 3" in content
    assert "http" not in content
    assert "regions" not in content


def test_image_in_base64_becomes_an_image_node() -> None:
    (found,) = retriever(API(img_base64="iVBORw0KGgo="), images="base64").retrieve("tallest?")
    assert isinstance(found.node, ImageNode)
    assert (found.node.image, found.node.image_mimetype) == ("iVBORw0KGgo=", "image/png")
    assert found.node.text == HIT["text"]


def test_options_are_sent() -> None:
    api = API()
    options = {"filter": F("year") >= 2024, "similarity_top_k": 7, "regions": True, "images": "none"}
    retriever(api, collection_name="reports", **options).retrieve(QueryBundle("a"))
    assert api.bodies[0] == {
        "query": "a",
        "collection_name": "reports",
        "query_filter": {"key": "year", "op": "gte", "value": 2024},
        "top_k": 7,
        "images": "none",
        "include": ["text", "regions"],
    }


def test_asyncio_gives_the_same() -> None:
    api = API()
    finder = retriever(api)
    assert asyncio.run(finder.aretrieve("a")) == finder.retrieve("a")
    assert api.bodies[0] == api.bodies[1]


def test_errors_are_those_of_the_client() -> None:
    with pytest.raises(Unauthorized):
        retriever(API(401)).retrieve("a")
