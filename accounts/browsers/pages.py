"""What views of django-allauth need around them: the login that sees passwords, and the user of the request."""

from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any, cast

from allauth.account.middleware import AccountMiddleware
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.functional import SimpleLazyObject

from accounts.browsers.database import signing_in
from accounts.browsers.sessions import SessionStore
from accounts.models import CustomUser
from accounts.sign_in import remember_browser

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_middleware = AccountMiddleware(lambda _request: None)


class BrowserUser:
    """Middleware that finds the user of a session when a view asks for it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = cast(CustomUser, SimpleLazyObject(partial(user_of, request)))
        response = self.get_response(request)
        if getattr(request, "has_signed_in", False) and isinstance(response, HttpResponse):
            remember_browser(request, response)
        return response


def user_of(request: HttpRequest) -> CustomUser | AnonymousUser:
    """Return the user of the session, whose password must not have changed since signing in."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return AnonymousUser()
    if not hasattr(request, "session"):
        request.session = SessionStore(key)  # of a request that has not reached the middleware
    with signing_in():
        return get_user(request)


def sign_in_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a view that runs, and renders its template, as the login for signing in."""

    @wraps(view)
    def with_login(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.allauth = SimpleNamespace()  # type: ignore[attr-defined]
        with signing_in(), context.request_context(request):
            try:
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response = response.render()
            except (ImmediateHttpResponse, ReauthenticationRequired) as exc:
                response = cast(HttpResponseBase, _middleware.process_exception(request, exc))
        response["Cache-Control"] = "private, no-store"
        return response

    return with_login
