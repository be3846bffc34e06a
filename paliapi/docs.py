"""The pages people read in a browser: Swagger UI, and what every error code means."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from paliapi.http.problems import codes


class OpenAPI(SpectacularJSONAPIView):
    """The document that programs read."""

    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """It names the server by the address it was asked at, so that what imports it calls the same one."""
        answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        server = {"url": request.build_absolute_uri("/").rstrip("/"), "description": "This server"}
        answer.data = {**answer.data, "servers": [server]}
        return answer


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
