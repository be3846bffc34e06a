"""The bodies of Dify's external-knowledge API."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Someone
from tests.collections_app.api.dify.calling import PATH, body, failure, records
from tests.collections_app.documents import PNG
from tests.collections_app.searchable import with_words


def test_records_are_the_pages_of_the_collection(alice: Someone, library: list[int]) -> None:
    best, *others = records(alice)
    assert best["content"] == "the tallest lighthouse stands in jeddah"
    assert best["title"] == "lighthouses.pdf, page 1"
    assert 0 < best["score"] <= 1
    metadata = best["metadata"]
    assert (metadata["year"], metadata["page_number"], metadata["collection_name"]) == (2026, 1, "sea")
    image: Any = Client().get(metadata["image_url"])
    assert b"".join(image.streaming_content) == PNG
    assert {record["metadata"]["document_name"] for record in others} == {"lighthouses.pdf"}


def test_page_without_text_has_a_sentence_as_content(alice: Someone, service: str) -> None:
    with_words(alice, "drawing.pdf", [""], collection="sea")
    (record,) = records(alice)
    assert record["metadata"]["image_url"] in record["content"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"knowledge_id": 7}, "/knowledge_id"),
        ({"query": " "}, "/query"),
        ({"query": "x" * 10_001}, "/query"),
        ({"retrieval_setting": []}, "/retrieval_setting"),
        ({"retrieval_setting": {"top_k": 0}}, "/retrieval_setting/top_k"),
        ({"retrieval_setting": {"score_threshold": 1.5}}, "/retrieval_setting/score_threshold"),
        (
            {"metadata_condition": {"conditions": [{"name": "a", "comparison_operator": "like", "value": 1}]}},
            "/metadata_condition/conditions/0/comparison_operator",
        ),
        (
            {"metadata_condition": {"conditions": [{"name": "a", "comparison_operator": ">", "value": True}]}},
            "/metadata_condition/conditions/0",
        ),
        ({"metadata_condition": {"conditions": [{}] * 65}}, "/metadata_condition/conditions"),
    ],
)
def test_invalid_field_is_named(alice: Someone, fields: dict[str, Any], pointer: str) -> None:
    answer = alice.post(PATH, body(**fields))
    assert failure(answer) == (422, 422)
    assert answer.json()["errors"][0]["pointer"] == pointer
