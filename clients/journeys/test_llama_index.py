"""The retriever of LlamaIndex, against a running PaliAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import run_readme
from llama_index.core.schema import ImageNode
from llama_index.retrievers.paliapi import PaliAPIRetriever
from paliapi_client import Client

COLLECTION = "llama-index"
QUESTION = "How far is a light seen?"


@pytest.fixture(autouse=True)
def documents(sample: Path) -> Iterator[None]:
    with Client() as pali:
        pali.documents.upload(sample, name="lighthouses", collection_name=COLLECTION, wait=True)
        yield
        pali.collections.delete(COLLECTION)


def test_lines_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    run_readme("llama-index", reports=COLLECTION)
    assert capsys.readouterr().out.startswith("lighthouses 3 ")


def test_pages_are_found_without_and_with_asyncio() -> None:
    retriever = PaliAPIRetriever(collection_name=COLLECTION, similarity_top_k=2, images="base64", regions=True)
    found = retriever.retrieve(QUESTION)
    retriever.close()
    assert len(found) == 2
    best = found[0]
    assert (best.metadata["document_name"], best.metadata["page_number"]) == ("lighthouses", 3)
    assert isinstance(best.node, ImageNode)
    assert best.node.resolve_image()
    assert "How far a light is seen" in best.text
    assert best.metadata["regions"]
    again = asyncio.run(retriever.aretrieve(QUESTION))
    assert [node.node_id for node in again] == [node.node_id for node in found]
