"""The requests that ColiVara's TypeScript client sends."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cast import Someone
from tests.journeys.conftest import Web


@pytest.fixture
def axios(owner: Someone, web: Web) -> Iterator[httpx.Client]:
    """An HTTP client that sends the same headers."""
    headers = {
        **owner.headers,
        "Accept": "application/json, text/plain, */*",
        "User-Agent": "axios/1.7.7",
        "Accept-Encoding": "gzip, compress, deflate, br",
    }
    with httpx.Client(base_url=web.url, headers=headers, timeout=30) as client:
        yield client


def _filled(axios: httpx.Client) -> None:
    axios.post("/v1/collections/", json={"name": "reports", "metadata": {"year": 2026}}).raise_for_status()
    document = {"name": "a.pdf", "metadata": {"year": 2026}, "collection_name": "reports", "wait": False}
    document |= {"url": "https://example.com/a.pdf", "use_proxy": False}
    axios.post("/v1/documents/upsert-document/", json=document).raise_for_status()


def test_undefined_fields_are_omitted(axios: httpx.Client) -> None:
    _filled(axios)
    assert axios.post("/v1/collections/", json={"name": "drafts"}).status_code == 201
    changed = axios.patch("/v1/collections/drafts/", json={"metadata": {"x": 1}})
    assert (changed.status_code, changed.json()["name"]) == (200, "drafts")
    renamed = axios.patch("/v1/documents/a.pdf/", json={"name": "b.pdf"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "b.pdf")
    assert axios.get("/v1/documents/", params={"collection_name": "all"}).json()[0]["name"] == "b.pdf"
    gone = axios.delete("/v1/documents/delete-document/b.pdf/", params={"collection_name": "reports"})
    assert gone.status_code == 204


@pytest.mark.parametrize("on", ["document", "collection"])
@pytest.mark.parametrize(
    ("key", "lookup", "hits"),
    [
        ("year", "has_key", 1),
        ("month", "has_key", 0),
        (["year"], "has_keys", 1),
        (["year", "month"], "has_keys", 0),
        (["year", "month"], "has_any_keys", 1),
    ],
)
def test_presence_lookup_sends_an_empty_value(axios: httpx.Client, on: str, key: Any, lookup: str, hits: int) -> None:
    _filled(axios)
    results = axios.post("/v1/filter/", json={"on": on, "key": key, "value": "", "lookup": lookup})
    assert results.status_code == 200
    assert len(results.json()) == hits
    captured = {"on": on, "key": key, "value": "", "lookup": lookup}
    search = {"query": "a lighthouse", "collection_name": "all", "top_k": 3, "query_filter": captured}
    assert axios.post("/v1/search/", json=search).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/collections/", {"name": "all"}, 422),
        ("POST", "/v1/collections/", {}, 422),
        ("GET", "/v1/collections/nowhere/", None, 404),
        ("POST", "/v1/filter/", {"on": "document", "key": "year", "value": "", "lookup": "contain_by"}, 422),
        ("GET", "/v1/nowhere/", None, 404),
        ("PUT", "/v1/collections/", {}, 405),
    ],
)
def test_failure_detail_is_text(axios: httpx.Client, method: str, path: str, body: Any, status: int) -> None:
    failed = axios.request(method, path, json=body)
    assert failed.status_code == status
    assert isinstance(failed.json()["detail"], str)
    assert failed.json()["detail"]
