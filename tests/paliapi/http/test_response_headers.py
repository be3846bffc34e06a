"""Headers that a request's response must carry."""

from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.request import Request

from paliapi.http.response_headers import add_response_headers, set_response_headers


def test_remembered_headers_are_added() -> None:
    request, response = RequestFactory().get("/"), HttpResponse()
    set_response_headers(Request(request), {"RateLimit": "1"})
    add_response_headers(request, response)
    assert response["RateLimit"] == "1"


def test_headers_of_the_response_are_not_overwritten() -> None:
    request, response = RequestFactory().get("/"), HttpResponse(headers={"RateLimit": "2"})
    set_response_headers(Request(request), {"RateLimit": "1"})
    add_response_headers(request, response)
    assert response["RateLimit"] == "2"


def test_client_cannot_inject_headers() -> None:
    request = RequestFactory().get("/", headers={"paliapi.response_headers": "x", "paliapi-response-headers": "x"})
    response = HttpResponse()
    before = dict(response.headers)
    add_response_headers(request, response)
    assert dict(response.headers) == before
