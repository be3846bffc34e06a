"""The contract of the service, asked over HTTP."""

import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from embeddings.backends import embedded
from tests.embeddings.serving import encoded, floats, maxsim, serving, serving_with, settings, text_image, until_ready

PAGE = {
    "image": encoded(text_image("Invoice 2024-117")),
    "words": [["Invoice", 0.1, 0.1, 0.3, 0.2], ["2024-117", 0.3, 0.1, 0.5, 0.2]],
}


def ask(client: httpx.Client, body: object, *, to: str = "/embeddings", **headers: str) -> httpx.Response:
    return client.post(to, json=body, headers=headers)


def test_the_first_client_gets_one_list_of_rows_for_each_text(service: httpx.Client) -> None:
    answer = ask(service, {"input_type": "text", "inputs": ["total amount due", "penguins"]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["embeddings"]
    assert [floats(rows).shape for rows in answer.json()["embeddings"]] == [(3, 128), (1, 128)]


def test_no_inputs_get_no_embeddings(service: httpx.Client) -> None:
    for kind in ("text", "image"):
        assert ask(service, {"input_type": kind, "inputs": []}).json() == {"embeddings": []}


def test_an_image_may_come_as_a_data_uri(service: httpx.Client) -> None:
    plain = encoded(text_image("Hello"))
    bare = ask(service, {"input_type": "image", "inputs": [plain]}).json()
    assert ask(service, {"input_type": "image", "inputs": [f"data:image/png;base64,{plain}"]}).json() == bare
    assert len(bare["embeddings"][0]) > 0


def test_every_row_has_unit_length_even_for_inputs_that_say_nothing(service: httpx.Client) -> None:
    texts = ["", "   ", "?!", "the total", "ä" * 1000, "\x00"]
    pages = [PAGE, encoded(Image.new("L", (3, 3), 0)), {"image": PAGE["image"], "words": []}]
    found = ask(service, {"input_type": "text", "inputs": texts}).json()["embeddings"]
    found += ask(service, {"input_type": "image", "inputs": pages}).json()["embeddings"]
    assert len(found) == len(texts) + len(pages)
    for rows in found:
        assert len(rows) >= 1
        np.testing.assert_allclose(np.linalg.norm(floats(rows), axis=1), 1, atol=2e-3)


def test_the_three_formats_agree(service: httpx.Client) -> None:
    body = {"input_type": "image", "inputs": [PAGE, PAGE["image"]], "include": ["layout"]}
    plain = ask(service, body).json()
    coded = ask(service, body | {"encoding_format": "base64"}).json()
    packed = ask(service, body, accept="application/x-npz")
    assert packed.headers["content-type"] == "application/x-npz"
    with np.load(io.BytesIO(packed.content), allow_pickle=False) as arrays:
        assert int(arrays["count"]) == 2
        assert str(arrays["input_type"]) == "image"
        assert str(arrays["model"]) == "paliapi/lexical-v1"
        assert json.loads(arrays["layout"].tobytes()) == plain["layout"] == coded["layout"]
        for number, rows in enumerate(plain["embeddings"]):
            assert arrays[f"emb_{number}"].dtype == np.float16
            np.testing.assert_allclose(arrays[f"emb_{number}"], rows, atol=2e-4)
            one = coded["embeddings"][number]
            raw = np.frombuffer(base64.b64decode(one["data"]), dtype="<f2").reshape(one["shape"])
            np.testing.assert_array_equal(raw, arrays[f"emb_{number}"])


def test_a_format_named_in_the_body_wins_over_the_header(service: httpx.Client) -> None:
    body = {"input_type": "text", "inputs": ["a"]}
    assert ask(service, body | {"encoding_format": "float"}, accept="application/x-npz").json()["embeddings"]
    assert ask(service, body | {"encoding_format": "npz"}).content[:2] == b"PK"


def test_morphiks_route_answers_npz_to_a_client_that_accepts_anything(service: httpx.Client) -> None:
    answer = ask(service, {"input_type": "text", "inputs": ["a b", "c"]}, to="/morphik/embeddings", accept="*/*")
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert int(arrays["count"]) == 2
        assert {"emb_0", "emb_1"} <= set(arrays)


def test_a_page_is_found_by_its_words_and_shows_where_they_are(service: httpx.Client) -> None:
    query = ask(service, {"input_type": "text", "inputs": ["invoice 2024-117"]}).json()["embeddings"][0]
    answer = ask(service, {"input_type": "image", "inputs": [PAGE], "include": ["layout", "usage", "model"]}).json()
    assert maxsim(query, answer["embeddings"][0]) == pytest.approx(2, abs=0.01)
    boxes = answer["layout"][0]["boxes"]
    assert boxes[:2] == [[0.1, 0.1, 0.3, 0.2], [0.3, 0.1, 0.5, 0.2]]
    assert len(boxes) == len(answer["embeddings"][0])
    assert answer["model"] == "paliapi/lexical-v1"
    assert answer["usage"]["inputs"] == 1


def test_every_answer_names_the_space(service: httpx.Client) -> None:
    for answer in (service.get("/health"), service.get("/nowhere"), ask(service, {}), service.get("/embeddings")):
        assert answer.headers["x-embeddings-model"] == "paliapi/lexical-v1"
        assert answer.headers["x-embeddings-revision"] == "1"
        assert answer.headers["x-embeddings-dim"] == "128"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic key-of-the-tests", "key-of-the-tests", "Bearer \xe9"]
)
def test_without_the_key_there_is_no_answer(service: httpx.Client, header: str) -> None:
    answer = httpx.post(
        f"{service.base_url}/embeddings", content=b"not json", headers=[(b"authorization", header.encode("latin-1"))]
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authorised"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_key_may_come_as_x_api_key(service: httpx.Client) -> None:
    body = {"input_type": "text", "inputs": []}
    answer = httpx.post(f"{service.base_url}/embeddings", json=body, headers={"x-api-key": "key-of-the-tests"})
    assert answer.status_code == 200


def test_several_keys_work_while_one_replaces_another() -> None:
    body = {"input_type": "text", "inputs": []}
    with serving(COLPALI_API_KEY="old, new") as client:
        codes = [ask(client, body, authorization=f"Bearer {key}").status_code for key in ("old", "new", "old, new")]
    assert codes == [200, 200, 401]


def test_behind_a_gateway_the_authorization_header_is_not_ours() -> None:
    body = {"input_type": "text", "inputs": []}
    with serving(COLPALI_AUTH="header", COLPALI_API_KEY="k") as client:
        assert ask(client, body, authorization="Bearer k").status_code == 401
        assert ask(client, body, **{"x-api-key": "k"}).status_code == 200
    with serving(COLPALI_AUTH="gateway", COLPALI_API_KEY="") as client:
        assert ask(client, body, authorization="Bearer theirs").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'["a"]', 400, "not_json"),
        (b'{"input_type": "text", "inputs": ["\\ud800"]}', 400, "not_json"),
        (b"{}", 422, "bad_field"),
        (b'{"input_type": "audio", "inputs": []}', 422, "bad_field"),
        (b'{"input_type": ["text"], "inputs": []}', 422, "bad_field"),
        (b'{"input_type": "text"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": "a"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [null]}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [1]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": [{"words": []}]}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "encoding_format": "pem"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "encoding_format": {}}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "include": "layout"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "include": [[]]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": ["!"]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": [""]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": ["data:image/png"]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": ["aGVsbG8="]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": 1}]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": [["a", 0, 0, 1]]}]}', 422, "bad_field"),
        (
            b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": [["a", 0, 0, 1, true]]}]}',
            422,
            "bad_field",
        ),
    ],
)
def test_a_wrong_request_gets_a_clear_problem(service: httpx.Client, body: bytes, status: int, code: str) -> None:
    answer = service.post("/embeddings", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status
    assert isinstance(answer.json()["detail"], str)


def test_a_broken_image_is_named_by_its_place(service: httpx.Client) -> None:
    whole = encoded(text_image("Hello"))
    cut = base64.b64encode(base64.b64decode(whole)[:200]).decode()
    photo = base64.b64decode(encoded(text_image("Hello"), kind="JPEG"))
    half = base64.b64encode(photo[: len(photo) // 2]).decode()
    for broken in ("aGVsbG8=", cut, half):
        answer = ask(service, {"input_type": "image", "inputs": [whole, broken, whole]})
        assert answer.status_code == 422
        assert answer.json()["index"] == 1


def test_a_broken_image_is_refused_even_where_its_words_are_enough_for_the_model() -> None:
    photo = base64.b64decode(encoded(text_image("Hello"), kind="JPEG"))
    whole, half = (base64.b64encode(data).decode() for data in (photo, photo[: len(photo) // 2]))
    inputs = [{"image": image, "words": [["Hello", 0.1, 0.1, 0.2, 0.2]]} for image in (whole, half)]
    with serving_with(embedded.make(settings())) as client:
        until_ready(client)
        assert ask(client, {"input_type": "image", "inputs": inputs[:1]}).status_code == 200
        answer = ask(client, {"input_type": "image", "inputs": inputs})
    assert (answer.status_code, answer.json()["index"]) == (422, 1)


def test_too_much_is_refused_with_what_and_how_much() -> None:
    limits = {"COLPALI_MAX_BODY_MB": "1", "COLPALI_MAX_INPUTS": "3", "COLPALI_MAX_IMAGE_MEGAPIXELS": "1"}
    limits |= {"COLPALI_MAX_REQUEST_MEGAPIXELS": "2", "COLPALI_MAX_TEXT_CHARS": "10", "COLPALI_MAX_WORDS": "1"}
    wide = encoded(Image.new("1", (1000, 1001)))
    fitting = encoded(Image.new("1", (1000, 1000)))
    word = ["a", 0, 0, 1, 1]
    with serving(**limits) as client:
        bodies = [
            ({"input_type": "text", "inputs": ["a"] * 4}, "4 entries; at most 3"),
            ({"input_type": "text", "inputs": ["a" * 11]}, "11 characters; at most 10"),
            ({"input_type": "text", "inputs": ["a" * 2**20]}, "1048611 bytes; at most 1048576"),
            ({"input_type": "image", "inputs": [wide]}, "1001000 pixels; at most 1000000"),
            ({"input_type": "image", "inputs": [fitting, fitting, fitting]}, "more than 2000000 pixels together"),
            ({"input_type": "image", "inputs": [{"image": fitting, "words": [word, word]}]}, "2 words; at most 1"),
        ]
        for body, told in bodies:
            answer = ask(client, body)
            assert answer.status_code == 413, told
            assert told in answer.json()["detail"]
        assert ask(client, {"input_type": "image", "inputs": [fitting, fitting]}).status_code == 200


def test_unknown_routes_and_methods_are_told_and_nothing_redirects(service: httpx.Client) -> None:
    assert service.get("/nothing").json()["code"] == "no_such_route"
    assert service.post("/embeddings/").json()["code"] == "no_such_route"
    refused = service.get("/embeddings")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_health_tells_what_runs(service: httpx.Client) -> None:
    told = httpx.get(f"{service.base_url}/health").json()
    assert told["status"] == "ready"
    assert told["backend"] == "lexical"
    assert told["dim"] == 128
    assert httpx.get(f"{service.base_url}/ready").status_code == 200
    assert httpx.get(f"{service.base_url}/ping").status_code == 200
