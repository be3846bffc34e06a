"""Pages for the browser, and the OpenAPI document that they show."""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from paliapi import derived_settings
from paliapi.errors import NotFound
from paliapi.http.problems import codes, error_response

# Written by `make schema`: generating it takes half a second.
OPENAPI_JSON = Path(__file__).with_name("openapi.json")
_CONTENT_TYPE = "application/vnd.oai.openapi+json"
_SERVER = "https://server.invalid"


class OpenAPIView(APIView):
    """The OpenAPI document."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document with the requested address as its server, so that importing tools call the same one."""
        server = request.build_absolute_uri("/").rstrip("/")
        before, after, digest = _openapi()
        etag = f'"{hashlib.sha256(f"{digest} {server}".encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Host"}
        if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
            return HttpResponseNotModified(headers=headers)
        body = f"{before}{json.dumps(server)[1:-1]}{after}"
        return HttpResponse(body, content_type=_CONTENT_TYPE, headers=headers)


@cache
def _openapi() -> tuple[str, str, str]:
    """Return what comes before and after the address of the server in the document, and a digest of both."""
    document = json.loads(OPENAPI_JSON.read_text(encoding="utf-8"))
    document["servers"] = [{"url": _SERVER, "description": "This server"}]
    before, _, after = json.dumps(document, separators=(",", ":")).partition(_SERVER)
    return before, after, hashlib.sha256(f"{before}{after}".encode()).hexdigest()


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
