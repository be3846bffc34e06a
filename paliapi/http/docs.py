"""Pages for the browser: Swagger UI and the list of error codes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from paliapi import derived_settings
from paliapi.errors import NotFound
from paliapi.http.problems import codes, error_response


class OpenAPIView(SpectacularJSONAPIView):
    """The OpenAPI document."""

    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Return the document with the requested address as its server, so that importing tools call the same one."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        server = {"url": request.build_absolute_uri("/").rstrip("/"), "description": "This server"}
        response.data = {**response.data, "servers": [server]}
        return response


def swagger(request: HttpRequest) -> HttpResponse:
    """Show Swagger UI, from local files only."""
    return render(request, "paliapi/swagger.html")


def errors(request: HttpRequest) -> HttpResponse:
    return render(request, "paliapi/errors.html", {"rows": codes()})


def home(_request: HttpRequest) -> HttpResponse:
    return redirect("swagger")


def admin(_request: HttpRequest) -> HttpResponse:
    """Redirect to the admin, which is another web server, unless its address may be internal."""
    env = settings.ENV
    url = derived_settings.admin_url(env)
    if not env.admin or env.production or url == env.base_url:
        return error_response(NotFound("There is no such URL."))
    return redirect(f"{url}/admin/")


def icon(_request: HttpRequest) -> HttpResponse:
    """Redirect browsers that look for the icon at its default address."""
    return redirect(static("paliapi/icon.svg"))
