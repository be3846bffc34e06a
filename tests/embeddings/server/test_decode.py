"""Decoding the images of a request."""

import base64

import httpx

from embeddings.backends import embedded
from tests.embeddings.server.requesting import post
from tests.embeddings.serving import encoded, serving_with, settings, text_image, until_ready


def test_data_uri_is_accepted(service: httpx.Client) -> None:
    plain = encoded(text_image("Hello"))
    bare = post(service, {"input_type": "image", "inputs": [plain]}).json()
    assert post(service, {"input_type": "image", "inputs": [f"data:image/png;base64,{plain}"]}).json() == bare
    assert len(bare["embeddings"][0]) > 0


def test_broken_image_is_named_by_its_index(service: httpx.Client) -> None:
    whole = encoded(text_image("Hello"))
    truncated_png = base64.b64encode(base64.b64decode(whole)[:200]).decode()
    jpeg = base64.b64decode(encoded(text_image("Hello"), kind="JPEG"))
    truncated_jpeg = base64.b64encode(jpeg[: len(jpeg) // 2]).decode()
    for broken in ("aGVsbG8=", truncated_png, truncated_jpeg):
        response = post(service, {"input_type": "image", "inputs": [whole, broken, whole]})
        assert response.status_code == 422
        assert response.json()["index"] == 1


def test_broken_image_is_refused_even_if_the_model_needs_only_its_words() -> None:
    jpeg = base64.b64decode(encoded(text_image("Hello"), kind="JPEG"))
    whole, truncated = (base64.b64encode(data).decode() for data in (jpeg, jpeg[: len(jpeg) // 2]))
    inputs = [{"image": image, "words": [["Hello", 0.1, 0.1, 0.2, 0.2]]} for image in (whole, truncated)]
    with serving_with(embedded.make(settings())) as client:
        until_ready(client)
        assert post(client, {"input_type": "image", "inputs": inputs[:1]}).status_code == 200
        response = post(client, {"input_type": "image", "inputs": inputs})
    assert (response.status_code, response.json()["index"]) == (422, 1)
