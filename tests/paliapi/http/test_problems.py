"""Every error response is a JSON problem, also when no view is reached."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paliapi.errors import Invalid, LimitReached, Problem, Unavailable
from paliapi.http import problems
from paliapi.http.problems import invalid
from tests.admin_client import AdminClient

_RAISED: dict[str, Exception] = {
    "unforeseen": RuntimeError("hunter2"),
    "database": OperationalError("connection to hunter2 refused"),
    "forbidden": PermissionDenied("hunter2"),
    "suspicious": SuspiciousOperation("hunter2"),
    "limit": LimitReached("Slowly.", retry_after_s=0.2),
    "unavailable": Unavailable(retry_after_s=7.1),
    "places": Invalid(problems=(Problem("/a~1b", "bad", "Not so."),)),
    "throttled": exceptions.Throttled(wait=3),
}


def _plain(_request: HttpRequest, what: str) -> HttpResponse:
    raise _RAISED[what]


class _Api(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, _request: Request, what: str) -> Response:
        raise _RAISED[what]


urlpatterns = [
    path("plain/<str:what>", _plain),
    path("api/<str:what>", _Api.as_view()),
    path("", include("paliapi.urls")),
]
handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error

with_broken_views = pytest.mark.urls(__name__)


def failure(method: str, address: str, **options: Any) -> tuple[int, dict[str, Any], Any]:
    """Return status, body and response of a failing request, after checking their common form."""
    answer = Client(raise_request_exception=False).generic(method, address, **options)
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "errors", "request_id"}
    assert body["status"] == answer.status_code
    assert body["type"] == f"/v1/docs/errors#{body['code']}"
    assert body["request_id"] == answer["X-Request-ID"]
    assert "hunter2" not in answer.content.decode()
    return answer.status_code, body, answer


@pytest.mark.parametrize("address", ["/nowhere", "/v1/nowhere/", "/v1/collections/a/b", "/%00"])
def test_unknown_url_is_a_problem(db: None, address: str) -> None:
    status, body, _ = failure("GET", address)
    assert status in {401, 404}
    assert body["code"] in {"not_found", "unauthenticated"}


def test_method_not_allowed_lists_the_allowed_methods(alice: Any) -> None:
    status, body, answer = failure("PUT", "/v1/collections/", headers=alice.headers)
    assert (status, body["code"]) == (405, "method_not_allowed")
    assert "POST" in answer["Allow"]


def test_missing_key_is_401_with_www_authenticate() -> None:
    status, body, answer = failure("GET", "/v1/collections/")
    assert (status, body["code"]) == (401, "unauthenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="PaliAPI"'


def test_unknown_host_is_a_problem() -> None:
    status, body, _ = failure("GET", "/v1/docs", headers={"Host": "evil.example.com"})
    assert (status, body["code"]) == (400, "bad_host")


def test_csrf_failure_is_a_problem(db: None) -> None:
    answer = AdminClient(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "The body is not JSON"),
        ("[]", "The body must be a JSON object."),
        ("null", "The body must be a JSON object."),
        ('{"a": NaN}', "The body is not JSON"),
        ('{"a": 1e999999999999}', ""),
        (b"\xff\xfe", "The body is not UTF-8."),
        ('{"a": "\\ud800"}', ""),
        ("[" * 100_000, "The JSON is nested too deeply."),
    ],
)
def test_malformed_body_is_a_problem(alice: Any, body: str | bytes, detail: str) -> None:
    answer = alice.post("/v1/collections/", body)
    assert answer.status_code in {400, 422}
    assert detail in answer.json()["detail"]


def test_large_body_is_a_problem(alice: Any) -> None:
    answer = alice.post("/v1/collections/", '{"name": "' + "x" * 3_000_000 + '"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unsupported_media_type_lists_the_supported_one(alice: Any) -> None:
    options = {"data": "<a/>", "content_type": "application/xml", "headers": alice.headers}
    status, body, answer = failure("POST", "/v1/collections/", **options)
    assert (status, body["code"]) == (415, "unsupported_media_type")
    assert answer["Accept-Post"] == "application/json"


@with_broken_views
@pytest.mark.parametrize("door", ["plain", "api"])
@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("unforeseen", 500, "internal_error"),
        ("database", 503, "unavailable"),
        ("forbidden", 403, "forbidden"),
        ("limit", 429, "limit_reached"),
        ("unavailable", 503, "unavailable"),
        ("places", 422, "invalid"),
    ],
)
def test_every_failure_is_a_problem_without_secrets(door: str, what: str, status: int, code: str) -> None:
    answered, body, _ = failure("GET", f"/{door}/{what}")
    assert (answered, body["code"]) == (status, code)


@with_broken_views
def test_retry_after_is_at_least_one_whole_second() -> None:
    assert failure("GET", "/api/limit")[2]["Retry-After"] == "1"
    assert failure("GET", "/api/unavailable")[2]["Retry-After"] == "8"
    assert failure("GET", "/api/database")[2]["Retry-After"] == "5"


@with_broken_views
def test_suspicious_request_is_malformed() -> None:
    assert failure("GET", "/plain/suspicious")[:2][0] == 400


@with_broken_views
def test_problems_have_pointer_and_code() -> None:
    _, body, _ = failure("GET", "/api/places")
    assert body["errors"] == [{"pointer": "/a~1b", "code": "bad", "detail": "Not so."}]


@with_broken_views
def test_other_framework_errors_are_problems() -> None:
    assert failure("GET", "/api/throttled")[:2][0] == 429


def test_serializer_error_has_a_pointer_for_each_field() -> None:
    problem = invalid(
        exceptions.ValidationError({"a/b": [{"c": ["Too long."]}, {}], "non_field_errors": ["Not together."]})
    )
    assert [(one.pointer, one.detail) for one in problem.problems] == [
        ("/a~1b/0/c", "Too long."),
        ("", "Not together."),
    ]
    assert problem.detail == "a~1b.0.c: Too long."


def test_empty_serializer_error_has_a_default_detail() -> None:
    assert invalid(exceptions.ValidationError({})).detail == Invalid.title
