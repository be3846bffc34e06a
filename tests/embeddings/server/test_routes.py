"""The HTTP contract of the routes."""

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.embeddings.server.requesting import PAGE, post
from tests.embeddings.serving import encoded, floats, maxsim


def test_default_response_is_one_list_of_rows_for_each_text(service: httpx.Client) -> None:
    response = post(service, {"input_type": "text", "inputs": ["total amount due", "penguins"]})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["embeddings"]
    assert [floats(rows).shape for rows in response.json()["embeddings"]] == [(3, 128), (1, 128)]


def test_empty_list_of_inputs_returns_no_embeddings(service: httpx.Client) -> None:
    for kind in ("text", "image"):
        assert post(service, {"input_type": kind, "inputs": []}).json() == {"embeddings": []}


def test_every_row_has_unit_length_even_for_inputs_without_words(service: httpx.Client) -> None:
    texts = ["", "   ", "?!", "the total", "ä" * 1000, "\x00"]
    pages = [PAGE, encoded(Image.new("L", (3, 3), 0)), {"image": PAGE["image"], "words": []}]
    embeddings = post(service, {"input_type": "text", "inputs": texts}).json()["embeddings"]
    embeddings += post(service, {"input_type": "image", "inputs": pages}).json()["embeddings"]
    assert len(embeddings) == len(texts) + len(pages)
    for rows in embeddings:
        assert len(rows) >= 1
        np.testing.assert_allclose(np.linalg.norm(floats(rows), axis=1), 1, atol=2e-3)


def test_page_matches_its_words_and_returns_their_boxes(service: httpx.Client) -> None:
    query = post(service, {"input_type": "text", "inputs": ["invoice 2024-117"]}).json()["embeddings"][0]
    content = post(service, {"input_type": "image", "inputs": [PAGE], "include": ["layout", "usage", "model"]}).json()
    assert maxsim(query, content["embeddings"][0]) == pytest.approx(2, abs=0.01)
    boxes = content["layout"][0]["boxes"]
    assert boxes[:2] == [[0.1, 0.1, 0.3, 0.2], [0.3, 0.1, 0.5, 0.2]]
    assert len(boxes) == len(content["embeddings"][0])
    assert content["model"] == "paliapi/lexical-v1"
    assert content["usage"]["inputs"] == 1


def test_morphik_route_returns_npz_by_default(service: httpx.Client) -> None:
    response = post(service, {"input_type": "text", "inputs": ["a b", "c"]}, route="/morphik/embeddings", accept="*/*")
    with np.load(io.BytesIO(response.content), allow_pickle=False) as arrays:
        assert int(arrays["count"]) == 2
        assert {"emb_0", "emb_1"} <= set(arrays)


def test_embed_accepts_texts_and_pages_in_one_request(service: httpx.Client) -> None:
    body = {"task": "document", "inputs": [{"text": "invoice 2024-117"}, PAGE], "include": ["layout"]}
    content = post(service, body, route="/embed").json()
    assert content["embeddings"][0] == content["embeddings"][1][:2]
    assert content["layout"][0] is None


def test_embed_refuses_an_unknown_task(service: httpx.Client) -> None:
    assert post(service, {"task": ["query"], "inputs": []}, route="/embed").status_code == 422
    assert post(service, {"inputs": [{"image": 1}]}, route="/embed").status_code == 422


def test_health_describes_the_backend_without_a_key(service: httpx.Client) -> None:
    content = httpx.get(f"{service.base_url}/health").json()
    assert content["status"] == "ready"
    assert content["backend"] == "lexical"
    assert content["dim"] == 128
    assert httpx.get(f"{service.base_url}/ready").status_code == 200
    assert httpx.get(f"{service.base_url}/ping").status_code == 200
