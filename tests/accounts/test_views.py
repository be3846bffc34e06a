"""The base class of views that work on the caller's rows."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Scope
from accounts.models import Usage
from accounts.views import OwnedView
from paliapi.errors import Conflict
from tests.cast import Someone


class WritingView(OwnedView):
    """Writes a row and then may fail."""

    costs: ClassVar[dict[str, int]] = {"GET": 1, "POST": 1}
    scopes: ClassVar[dict[str, Scope]] = {"GET": "search"}

    def get(self, _request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.owner', true), current_user")
            return Response(cursor.fetchone())

    def post(self, request: Request) -> Response:
        Usage.objects.create(owner_id=self.caller.owner_id, pages=7)
        if "fail" in request.query_params:
            raise Conflict
        return Response(status=204)


class NonTransactionalView(WritingView):
    transactional = False


def call(view: type[OwnedView], request: HttpRequest, someone: Someone) -> Any:
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {someone.key}"
    return view.as_view()(request)


def test_handler_runs_in_the_owners_transaction(alice: Someone) -> None:
    answer = call(WritingView, RequestFactory().get("/"), alice)
    assert answer.data == (str(alice.id), "paliapi_app")


def test_owner_is_cleared_after_the_request(alice: Someone) -> None:
    call(WritingView, RequestFactory().get("/"), alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.owner', true)")
        assert cursor.fetchone() in {("",), (None,)}


def test_view_can_opt_out_of_the_transaction(alice: Someone) -> None:
    answer = call(NonTransactionalView, RequestFactory().get("/"), alice)
    assert answer.data[0] in {"", None}


def test_failed_request_is_rolled_back(alice: Someone) -> None:
    assert call(WritingView, RequestFactory().post("/?fail=1"), alice).status_code == 409
    assert alice.get("/v1/usage/").json()["pages"] == 0
    assert call(WritingView, RequestFactory().post("/"), alice).status_code == 204
    assert alice.get("/v1/usage/").json()["pages"] == 7


def test_view_declares_the_scope_of_each_method(alice: Someone, bob: Someone) -> None:
    assert call(WritingView, RequestFactory().get("/"), bob).status_code == 403
    assert call(WritingView, RequestFactory().get("/"), alice).status_code == 200


def test_writing_requires_the_write_scope_by_default(bob: Someone) -> None:
    answer = call(WritingView, RequestFactory().post("/"), bob)
    assert answer.status_code == 403
    assert b"`write`" in answer.content


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_missing_method_is_405(alice: Someone, method: str) -> None:
    answer = call(WritingView, RequestFactory().generic(method, "/"), alice)
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]


def test_forbidden_request_costs_and_has_rate_limit_headers(bob: Someone) -> None:
    first, second = bob.post("/v1/keys/", {}), bob.post("/v1/keys/", {})
    assert first.status_code == second.status_code == 403
    assert first["RateLimit-Policy"] == second["RateLimit-Policy"]
    assert first["RateLimit"] != ""


class SlowView(OwnedView):
    """Runs a statement that never ends."""

    costs: ClassVar[dict[str, int]] = {"GET": 1, "POST": 1}

    def get(self, _request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")
        return Response()

    def post(self, request: Request) -> Response:
        return self.get(request)


@pytest.mark.parametrize("limit", ["read_timeout_s", "write_timeout_s"])
def test_statement_that_takes_too_long_is_cancelled(alice: Someone, settings: Settings, limit: str) -> None:
    settings.ENV = replace(settings.ENV, **{limit: 0.05})
    method = "GET" if limit == "read_timeout_s" else "POST"
    answer = call(SlowView, RequestFactory().generic(method, "/"), alice)
    assert (answer.status_code, b"took_too_long" in answer.content) == (503, True)
