"""The formats of a response."""

import base64
import io
import json

import httpx
import numpy as np

from embeddings.contract import VectorSpace
from embeddings.errors import NotAuthorised, QueueFull
from embeddings.server.responses import error_response, space_headers
from tests.embeddings.server.requesting import PAGE, post


def test_all_formats_contain_the_same_vectors(service: httpx.Client) -> None:
    body = {"input_type": "image", "inputs": [PAGE, PAGE["image"]], "include": ["layout"]}
    as_json = post(service, body).json()
    as_base64 = post(service, body | {"encoding_format": "base64"}).json()
    as_npz = post(service, body, accept="application/x-npz")
    assert as_npz.headers["content-type"] == "application/x-npz"
    with np.load(io.BytesIO(as_npz.content), allow_pickle=False) as arrays:
        assert int(arrays["count"]) == 2
        assert str(arrays["input_type"]) == "image"
        assert str(arrays["model"]) == "paliapi/lexical-v1"
        assert json.loads(arrays["layout"].tobytes()) == as_json["layout"] == as_base64["layout"]
        for index, rows in enumerate(as_json["embeddings"]):
            assert arrays[f"emb_{index}"].dtype == np.float16
            np.testing.assert_allclose(arrays[f"emb_{index}"], rows, atol=2e-4)
            embedding = as_base64["embeddings"][index]
            raw = np.frombuffer(base64.b64decode(embedding["data"]), dtype="<f2").reshape(embedding["shape"])
            np.testing.assert_array_equal(raw, arrays[f"emb_{index}"])


def test_format_in_the_body_takes_precedence_over_the_header(service: httpx.Client) -> None:
    body = {"input_type": "text", "inputs": ["a"]}
    assert post(service, body | {"encoding_format": "float"}, accept="application/x-npz").json()["embeddings"]
    assert post(service, body | {"encoding_format": "npz"}).content[:2] == b"PK"


def test_error_is_a_problem_with_its_headers() -> None:
    response = error_response(QueueFull(retry_after_s=7).at(3))
    assert (response.status_code, response.media_type) == (429, "application/problem+json")
    assert response.headers["retry-after"] == "7"
    content = json.loads(bytes(response.body))
    assert content["code"] == "queue_full"
    assert content["index"] == 3
    assert error_response(NotAuthorised()).headers["www-authenticate"] == "Bearer"


def test_headers_of_a_space_leave_out_unknown_values() -> None:
    assert space_headers(VectorSpace("m", "", 0)) == [(b"x-embeddings-model", b"m")]
    assert space_headers(VectorSpace("ä", "1", 4))[0] == (b"x-embeddings-model", b"?")
