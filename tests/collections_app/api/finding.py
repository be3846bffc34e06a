"""Helpers of search tests: paths, and short forms of results."""

import base64
from typing import Any

from tests.cast import Someone
from tests.collections_app.documents import PNG

SEARCH = "/v1/search/"
BY_IMAGE = "/v1/search-image/"
UNUSED_URL = "http://127.0.0.1:9"
PNG_BASE64 = base64.b64encode(PNG).decode()


def search_hits(who: Someone, path: str = SEARCH, **body: Any) -> list[dict[str, Any]]:
    answer = who.post(path, body)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def places(results: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(hit["document_name"], hit["page_number"]) for hit in results]
