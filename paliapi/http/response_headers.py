"""Headers that a request's response must carry, whichever view or error handler produces it."""

from collections.abc import Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

_META_KEY = "paliapi.response_headers"


def set_response_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Remember the headers for the response to this request."""
    request.META[_META_KEY] = headers


def add_response_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add the remembered headers to the response, except those that it has already."""
    for name, value in request.META.get(_META_KEY, {}).items():
        response.headers.setdefault(name, value)
