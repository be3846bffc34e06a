"""What happens to every request, whichever view answers it."""

import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from paliapi.middleware import Messages, Sessions, Users

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def request_id(**headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return str(Client().get("/livez", headers=named)["X-Request-ID"])


def test_a_trace_id_is_taken_over() -> None:
    assert request_id(traceparent=TRACEPARENT) == TRACE
    assert request_id(traceparent=TRACEPARENT, X_Request_ID="mine-1234") == TRACE


def test_a_choose_request_id_the_callers_is_taken_over() -> None:
    assert request_id(X_Request_ID="mine-1234") == "mine-1234"


@pytest.mark.parametrize(
    "traceparent",
    [f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-b7ad6b7169203331-01", "x"],
)
def test_a_bad_trace_id_is_replaced(traceparent: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_id(traceparent=traceparent))


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "line\\nbreak!", "<script>"])
def test_a_bad_request_id_is_replaced(given: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_id(X_Request_ID=given))


def test_every_request_has_an_id_of_its_own() -> None:
    assert request_id() != request_id()


def test_a_failure_carries_the_id_in_its_body() -> None:
    answer = Client().get("/nowhere", headers={"X-Request-ID": "mine-1234"})
    assert answer.status_code == 404
    assert answer.json()["request_id"] == answer["X-Request-ID"] == "mine-1234"


def test_an_address_without_its_last_slash_is_the_same() -> None:
    assert Client().get("/v1/health").json() == {"status": "ok"}


def test_a_body_survives_a_missing_slash() -> None:
    answer = Client().post("/v1/collections", "{}", content_type="application/json")
    assert answer.status_code == 401


def test_a_slash_too_many_or_an_unknown_address_is_not_there() -> None:
    assert Client().get("/v1/nowhere").status_code == 404
    assert Client().get("/livez/").status_code == 404


def test_a_body_of_unknown_length_is_refused() -> None:
    answer = Client().generic("POST", "/v1/filter/", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411
    assert answer.json()["code"] == "length_required"


def test_a_body_that_is_counted_may_come_in_chunks() -> None:
    answer = Client().post("/v1/filter/", "{}", "application/json", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/docs/errors", "/admin/login/", "/v1/health/", "/nowhere"])
def test_every_answer_forbids_what_it_does_not_need(db: None, path: str) -> None:
    answer = Client().get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_answers_of_the_api_are_kept_by_nobody() -> None:
    answer = Client().get("/v1/health/")
    assert answer["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer["Vary"]


@pytest.mark.parametrize(("middleware", "sets"), [(Sessions, "session"), (Users, "user"), (Messages, "_messages")])
def test_sessions_are_for_pages_and_not_for_the_api(middleware: type[Sessions | Users | Messages], sets: str) -> None:
    def seen(path: str) -> HttpRequest:
        request = RequestFactory().get(path)
        if middleware is not Sessions:
            request.session = SessionStore()
        middleware(lambda _request: HttpResponse())(request)
        return request

    assert hasattr(seen("/admin/"), sets)
    assert not hasattr(seen("/v1/me/"), sets)
