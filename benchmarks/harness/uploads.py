"""Upload documents to a stack and wait for them."""

import time
from http import HTTPStatus
from typing import Any

import httpx

COLLECTION = "default_collection"


def upload(client: httpx.Client, name: str, content: bytes, *, collection: str = COLLECTION) -> None:
    """Upload a document, and try again after `Retry-After` if the account sends too many requests."""
    while True:
        answer = client.post(
            "/v1/documents/upsert-document/",
            data={"name": name, "collection_name": collection},
            files={"file": (name, content, "application/pdf")},
        )
        if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            answer.raise_for_status()
            return
        time.sleep(float(answer.headers["Retry-After"]))


def until_ready(client: httpx.Client, name: str, *, within_s: float, collection: str = COLLECTION) -> None:
    until = time.monotonic() + within_s
    while (document := look_at(client, name, collection=collection))["status"] != "ready":
        if document["status"] == "failed" or time.monotonic() > until:
            raise SystemExit(f"{name} did not become ready: {document}")
        time.sleep(0.25)


def look_at(client: httpx.Client, name: str, *, collection: str = COLLECTION) -> dict[str, Any]:
    answer = client.get(f"/v1/documents/{name}/", params={"collection_name": collection})
    answer.raise_for_status()
    return dict(answer.json())
