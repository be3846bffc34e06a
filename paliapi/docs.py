"""The pages people read in a browser: Swagger UI, and what every error code means."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from drf_spectacular.views import SpectacularJSONAPIView

from paliapi.http import codes


class OpenAPI(SpectacularJSONAPIView):
    """The document that programs read."""

    throttle_classes = ()


def swagger(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own files; it keeps the key until you log out."""
    return render(request, "paliapi/swagger.html")


def errors(request: HttpRequest) -> HttpResponse:
    """Every code there is."""
    return render(request, "paliapi/errors.html", {"rows": codes()})


def home(_request: HttpRequest) -> HttpResponse:
    return redirect("swagger")


def icon(_request: HttpRequest) -> HttpResponse:
    """Where browsers look that were told of no icon."""
    return redirect(static("paliapi/icon.svg"))
