"""Which large bodies the web server receives."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from paliapi.http.large_bodies import Application
from paliapi.units import MEBIBYTE
from tests.cast import Someone

_LARGE = 10 * MEBIBYTE


def _admits(path: str, *, length: int = _LARGE, headers: dict[str, str] | None = None) -> str | None:
    environ: dict[str, Any] = RequestFactory(headers=headers or {}).post(path).environ
    return Application().admits({**environ, "CONTENT_LENGTH": str(length)})


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents/upsert-document/",
        "/v1/documents/upsert-document",
        "/v1/documents/a.pdf/",
        "/v1/helpers/file-to-base64/",
        "/v1/search/",
        "/v1/search-image/",
        "/v1/embeddings/",
    ],
)
def test_large_body_needs_a_valid_key(alice: Someone, charlie: Someone, path: str) -> None:
    account = _admits(path, headers=alice.headers)
    assert account is not None
    assert account != _admits(path, headers=charlie.headers)
    assert _admits(path) is None
    assert _admits(path, headers={"Authorization": f"Bearer {alice.key}x"}) is None


def test_body_that_is_too_large_for_its_path_is_not_received(alice: Someone) -> None:
    largest = settings.ENV.max_body_bytes
    for path, limit in (("/v1/collections/", 2 * MEBIBYTE), ("/v1/search/", largest)):
        assert _admits(path, headers=alice.headers, length=limit) is not None
        assert _admits(path, headers=alice.headers, length=limit + 1) is None


@pytest.mark.parametrize("path", ["/v1/documents/upsert-document/", "/v1/collections/", "/v1/helpers/file-to-base64/"])
def test_body_that_is_not_received_is_refused_by_its_length(alice: Someone, path: str) -> None:
    kind = "application/json" if path == "/v1/collections/" else "multipart/form-data; boundary=x"
    length = str(settings.ENV.max_body_bytes + 1)
    answer = Client().generic("POST", path, b"x", kind, headers=alice.headers, CONTENT_LENGTH=length)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_forms_of_the_admin_are_limited(db: None) -> None:
    assert _admits("/admin/login/", length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE) is not None
    assert _admits("/admin/login/", length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1) is None
