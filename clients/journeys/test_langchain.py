"""LangChain's standard tests of retrievers, against a running PaliAPI."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import run_readme
from langchain_paliapi import PaliAPIRetriever, content_blocks
from langchain_tests.integration_tests import RetrieversIntegrationTests
from paliapi_client import Client

COLLECTION = "langchain"


CLIENTS: list[Client] = []


@pytest.fixture(scope="module", autouse=True)
def documents(sample: Path) -> Iterator[None]:
    with Client() as pali:
        CLIENTS.append(pali)
        pali.documents.upload(sample, name="lighthouses", collection_name=COLLECTION, wait=True)
        yield
        pali.collections.delete(COLLECTION)


class TestPaliAPIRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[PaliAPIRetriever]:
        return PaliAPIRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"client": CLIENTS[0], "collection_name": COLLECTION}

    @property
    def retriever_query_example(self) -> str:
        return "How far is a light seen?"


def test_lines_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    run_readme("langchain", reports=COLLECTION)
    assert capsys.readouterr().out.startswith("lighthouses 3 ")


def test_best_page_has_text_image_and_regions() -> None:
    retriever = PaliAPIRetriever(collection_name=COLLECTION, k=1, images="base64", regions=True)
    (document,) = retriever.invoke("How far is a light seen?")
    retriever.close()
    assert (document.metadata["source"], document.metadata["page_number"]) == ("lighthouses", 3)
    assert "How far a light is seen" in document.page_content
    assert document.metadata["regions"]
    _, image = content_blocks([document])
    assert base64.b64decode(image["base64"])
