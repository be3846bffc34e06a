"""Which large request bodies are received: those of requests that an endpoint can use, with a valid key.

The web server asks before it receives a body of more than 64 kB. It lets the view respond without a body that is not
admitted: the view refuses the key or the length before it would read.
"""

from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import Resolver404, resolve
from rest_framework.request import Request

from paliapi.database import release_connection
from paliapi.errors import Error
from paliapi.http.parsers import MultiPartParser, max_body_bytes

# For forms of the admin, which are limited to this size anyway.
_WITHOUT_KEY = "without key"


class Application(WSGIHandler):
    """The WSGI application, which the web server can ask about large bodies."""

    def admits(self, environ: dict[str, Any]) -> str | None:
        """Return the account that a body counts for, or None if it is not received."""
        request = WSGIRequest(environ)
        view = _view_of(request.path_info)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if view is None:
            return _WITHOUT_KEY if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE else None
        takes_files = any(issubclass(parser, MultiPartParser) for parser in view.parser_classes)
        limit = settings.ENV.max_body_bytes if takes_files else max_body_bytes(view)
        return _account_of(request, view) if length <= limit else None


def _view_of(path: str) -> Any:
    """Return the class of the API's view for a path, or None."""
    for one in (path, f"{path}/"):
        try:
            return getattr(resolve(one).func, "cls", None)
        except Resolver404:
            pass
    return None


def _account_of(request: WSGIRequest, view: Any) -> str | None:
    try:
        for authentication in view.authentication_classes:
            result = authentication().authenticate(Request(request))
            if result is not None:
                return f"owner {result[0].owner_id}"
        return None
    except Error:
        return None
    finally:
        release_connection()
