"""The pages people read in a browser: Swagger UI, and what every error code means."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from paliapi.errors import catalogue, kind_of
from paliapi.http import STATUS


class OpenAPI(SpectacularJSONAPIView):
    """The document that programs read."""

    throttle_classes = ()


class Swagger(SpectacularSwaggerSplitView):
    """Swagger UI from our own files; it keeps the token until you log out."""

    url_name = "openapi"
    throttle_classes = ()


def errors(request: HttpRequest) -> HttpResponse:
    """Every code there is."""
    rows = [(error.code, STATUS[kind_of(error)], error.title) for error in catalogue()]
    return render(request, "paliapi/errors.html", {"rows": rows})


def home(_request: HttpRequest) -> HttpResponse:
    return redirect("swagger")
