"""Regions of hits, on pages whose words have known positions."""

import base64
from typing import Any

import numpy as np
import pytest
from PIL import Image

from accounts.ownership import acting_for
from collections_app.engine.retrieval import word_boxes
from collections_app.models import PageEmbedding
from embeddings.backends.base import Item
from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import Word
from paliapi.env import ROOT
from tests.cast import Someone
from tests.collections_app.api.finding import SEARCH
from tests.collections_app.documents import put
from tests.collections_app.ingestion import process_all
from tests.collections_app.searchable import random_vectors, with_vectors

# Each word has a line of its own, but the two of a phrase share one.
PLACES = {
    "lighthouse": (0.1, 0.1, 0.3, 0.13),
    "keepers": (0.1, 0.3, 0.25, 0.33),
    "fresnel": (0.5, 0.6, 0.6, 0.63),
    "lens": (0.61, 0.6, 0.7, 0.63),
}


@pytest.fixture
def page(alice: Someone, service: str) -> int:
    backend = LexicalBackend()
    words = tuple(Word(text, *box) for text, box in PLACES.items())
    item = Item(task="document", image=Image.new("RGB", (20, 10), "white"), words=words)
    (created,) = backend.encode(backend.collate([backend.prepare(item)]))
    (page_id,) = with_vectors(alice, "known.pdf", [created.vectors], layouts=[created.layout], space=backend.info.space)
    stored = word_boxes.encode(Word(text, *box) for text, box in PLACES.items())
    with acting_for(alice.id):
        PageEmbedding.objects.filter(owner_id=alice.id, page_id=page_id).update(words=stored)
    return page_id


def regions(who: Someone, **body: Any) -> dict[str, Any]:
    answer = who.post(SEARCH, {"images": "none", "include": ["regions"], "top_k": 1, **body})
    assert answer.status_code == 200, answer.content
    (hit,) = answer.json()["results"]
    return dict(hit["regions"])


@pytest.mark.parametrize("query", ["lighthouse", "keepers", "Where is the lens?"])
def test_word_query_has_the_region_of_the_word(alice: Someone, page: int, query: str) -> None:
    best = regions(alice, query=query)["boxes"][0]
    (word,) = [word for word in PLACES if word in query]
    assert best["box"] == pytest.approx(PLACES[word], abs=1e-3)
    assert best["text"] == word


def test_adjacent_words_are_one_region(alice: Someone, page: int) -> None:
    payload = regions(alice, query="fresnel lens")
    (best,) = payload["boxes"]
    assert best["box"] == pytest.approx([0.5, 0.6, 0.7, 0.63], abs=1e-3)
    assert (best["text"], best["tokens"], best["score"]) == ("fresnel lens", [0, 1], pytest.approx(1, abs=1e-2))
    for token, word in zip(payload["tokens"], ("fresnel", "lens"), strict=True):
        assert token["box"] == pytest.approx(PLACES[word], abs=1e-3)
        cells = np.frombuffer(base64.b64decode(token["map"]), dtype=np.uint8).reshape(payload["n_y"], payload["n_x"])
        y, x = np.argwhere(cells == 255)[0]
        assert PLACES[word][1] * payload["n_y"] - 1 <= y <= PLACES[word][3] * payload["n_y"]
        assert PLACES[word][0] * payload["n_x"] - 1 <= x <= PLACES[word][2] * payload["n_x"]


def test_distant_words_are_two_regions(alice: Someone, page: int) -> None:
    payload = regions(alice, query="lighthouse keepers")
    assert sorted(region["text"] for region in payload["boxes"]) == ["keepers", "lighthouse"]


def test_negative_parts_have_no_regions(alice: Someone, page: int) -> None:
    payload = regions(alice, query=[{"text": "lighthouse"}, {"text": "lens", "weight": -0.1}])
    assert [region["text"] for region in payload["boxes"]] == ["lighthouse"]


def test_page_without_layout_has_no_regions(alice: Someone, service: str) -> None:
    with_vectors(alice, "x", [random_vectors(1, count=3, dim=128)] * 2, space=LexicalBackend.info.space)
    page = {"document_name": "x", "page_number": 1}
    assert regions(alice, page=page) == {"boxes": [], "tokens": [], "n_x": 32, "n_y": 32}


def test_lexical_ranking_has_no_regions(alice: Someone, service: str) -> None:
    with_vectors(alice, "x", [random_vectors(1, count=3)], texts=["lens"])
    answer = alice.post(SEARCH, {"query": "lens", "ranking": "lexical", "include": ["regions"]})
    assert [hit["regions"] for hit in answer.json()["results"]] == [None]


def test_regions_are_limited_to_few_hits(alice: Someone, page: int) -> None:
    most = {"query": "lens", "include": ["regions"], "top_k": 20}
    assert alice.post(SEARCH, most).status_code == 200
    answer = alice.post(SEARCH, {**most, "top_k": 21})
    assert (answer.status_code, answer.json()["code"]) == (422, "regions_of_too_many")
    assert answer.json()["errors"][0]["pointer"] == "/top_k"


def test_regions_of_an_upload_contain_the_words_of_its_text_layer(alice: Someone, service: str) -> None:
    put(alice, "lighthouses.pdf", (ROOT / "docs" / "sample" / "lighthouses.pdf").read_bytes())
    process_all()
    search_hits = {region["text"]: region["box"] for region in regions(alice, query="Fresnel lens")["boxes"]}
    assert set(search_hits) == {"Fresnel", "lens"}
    assert search_hits["Fresnel"] == pytest.approx([0.109, 0.170, 0.168, 0.180], abs=1e-3)
