"""Behaviour of every request, whichever view handles it."""

import re
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from tests.admin_client import AdminClient
from tests.cast import Someone

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def request_id(**headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return str(Client().get("/livez", headers=named)["X-Request-ID"])


def test_trace_id_is_adopted() -> None:
    assert request_id(traceparent=TRACEPARENT) == TRACE
    assert request_id(traceparent=TRACEPARENT, X_Request_ID="mine-1234") == TRACE


def test_request_id_is_adopted() -> None:
    assert request_id(X_Request_ID="mine-1234") == "mine-1234"


@pytest.mark.parametrize(
    "traceparent",
    [f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-b7ad6b7169203331-01", "x"],
)
def test_invalid_trace_id_is_replaced(traceparent: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_id(traceparent=traceparent))


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "line\\nbreak!", "<script>"])
def test_invalid_request_id_is_replaced(given: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_id(X_Request_ID=given))


def test_every_request_gets_its_own_id() -> None:
    assert request_id() != request_id()


def test_error_body_has_the_request_id() -> None:
    answer = Client().get("/nowhere", headers={"X-Request-ID": "mine-1234"})
    assert answer.status_code == 404
    assert answer.json()["request_id"] == answer["X-Request-ID"] == "mine-1234"


def test_url_without_trailing_slash_is_accepted() -> None:
    assert Client().get("/v1/health").json() == {"status": "ok"}


def test_body_survives_a_missing_slash() -> None:
    answer = Client().post("/v1/collections", "{}", content_type="application/json")
    assert answer.status_code == 401


def test_extra_slash_or_unknown_url_is_not_found() -> None:
    assert Client().get("/v1/nowhere").status_code == 404
    assert Client().get("/livez/").status_code == 404


def test_body_without_a_length_is_refused() -> None:
    answer = Client().generic("POST", "/v1/filter/", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411
    assert answer.json()["code"] == "length_required"


def test_chunked_body_with_a_length_is_accepted() -> None:
    answer = Client().post("/v1/filter/", "{}", "application/json", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/docs/errors", "/admin/login/", "/v1/health/", "/nowhere"])
def test_every_response_has_strict_security_headers(db: None, path: str) -> None:
    answer = (AdminClient() if path.startswith("/admin/") else Client()).get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_api_responses_are_not_cached() -> None:
    answer = Client().get("/v1/health/")
    assert answer["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer["Vary"]


def test_api_has_no_sessions_and_the_admin_has() -> None:
    needed = {f"django.contrib.{name}" for name in ("sessions", "auth", "messages")}
    assert not [name for name in settings.API_MIDDLEWARE if name.startswith("django.contrib.")]
    assert needed == {".".join(name.split(".")[:3]) for name in settings.ADMIN_MIDDLEWARE if "contrib" in name}


@pytest.mark.parametrize("path", ["/v1/documents" + "/pages/1" * 900, "/" + "a" * 1000, "/static/" + "a" * 1000])
def test_very_long_path_is_refused_before_it_is_matched(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.urls.resolvers.URLResolver.resolve", None)
    refused = Client().get(path)
    assert (refused.status_code, refused.json()["code"]) == (414, "address_too_long")


def test_longest_names_are_accepted_in_paths(alice: Someone) -> None:
    for name in ("a" * 255, "\N{GRINNING FACE}" * 255, "a/" * 127):
        answer = alice.get(f"/v1/documents/{quote(name, safe='')}/pages/1/image")
        assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")
