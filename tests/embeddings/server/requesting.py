"""Requests of the server's tests."""

import httpx

from tests.embeddings.serving import encoded, text_image

PAGE = {
    "image": encoded(text_image("Invoice 2024-117")),
    "words": [["Invoice", 0.1, 0.1, 0.3, 0.2], ["2024-117", 0.3, 0.1, 0.5, 0.2]],
}


def post(client: httpx.Client, body: object, *, route: str = "/embeddings", **headers: str) -> httpx.Response:
    return client.post(route, json=body, headers=headers)
