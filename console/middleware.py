"""What runs for requests of the console only: its chain of middleware, its security headers, its error pages."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from console.problem_pages import as_page

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Paths of others: the API, files, probes, and what redirects to the admin.
_OTHERS = ("/v1/", "/static/", "/admin/")
_OTHER_PATHS = frozenset({"/v1", "/livez", "/readyz", "/metrics", "/favicon.ico"})

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class ConsoleMiddleware:
    """Runs `CONSOLE_MIDDLEWARE` for paths of the console, as Django runs `MIDDLEWARE` for all."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = chain = get_response
        self._members: list[Any] = []
        for path in reversed(settings.CONSOLE_MIDDLEWARE):
            member = import_string(path)(convert_exception_to_response(chain))
            self._members.insert(0, member)
            chain = member
        self._chain = cast(GetResponse, convert_exception_to_response(chain))  # none of them is async

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_of_console(request):
            return self.get_response(request)
        response = as_page(request, self._chain(request))
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        return self._first("process_view", request, view, args, kwargs)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return self._first("process_exception", request, exception)

    def _first(self, hook: str, request: HttpRequest, *args: Any) -> HttpResponseBase | None:
        """Return the first response of a hook of the chain."""
        if _is_of_console(request):
            for member in self._members:
                method = getattr(member, hook, None)
                response: HttpResponseBase | None = method(request, *args) if method else None
                if response is not None:
                    return response
        return None


def _is_of_console(request: HttpRequest) -> bool:
    path = request.path_info
    return not path.startswith(_OTHERS) and path not in _OTHER_PATHS
