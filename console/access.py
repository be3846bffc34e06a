"""Signing in to the console, with a password or a key.

A password, and the second factor if there is one, begin a session in the database (`accounts.browsers`), which acts as
the owner with full rights. With a key, or a link that works once, the browser keeps a signed cookie that names a key.
Every request checks the key: the cookie is useless once the key is revoked or has expired, or its owner is inactive,
and permits what the key permits.
"""

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.access import Caller
from accounts.authentication import caller_of_key, is_still_valid
from accounts.browsers.pages import user_of
from accounts.browsers.sessions import SessionStore

_SALT = "console.session"


class SessionAuthentication(BaseAuthentication):
    """Authentication by the cookies of the console."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        caller = signed_in_caller(request._request)
        if caller is None:
            return None
        structlog.contextvars.bind_contextvars(owner_id=caller.owner_id, key_id=caller.key_id)
        return caller, caller

    def authenticate_header(self, _request: Request) -> str:
        return "Session"


def signed_in_caller(request: HttpRequest) -> Caller | None:
    """Return the caller of a browser that has signed in, if its session or the key that it used is still active."""
    # Whether a large body is received is decided before the middleware runs.
    user = request.user if hasattr(request, "user") else user_of(request)
    if user.is_authenticated:
        return Caller.of_owner(user.pk, email=user.email)
    value = request.get_signed_cookie(_cookie_name(), "", salt=_SALT, max_age=settings.SESSION_COOKIE_AGE) or ""
    owner_id, _, key_id = value.partition(" ")
    if not (owner_id.isdecimal() and key_id.isdecimal()):
        return None
    return caller_of_key(owner_id=int(owner_id), key_id=int(key_id))


def is_still_signed_in(request: HttpRequest, caller: Caller) -> bool:
    """Check whether the key or the session is still active, for responses that outlast the first check."""
    if not is_still_valid(caller):
        return False
    return bool(caller.key_id or SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME)).load())


def caller_of_session(request: HttpRequest) -> dict[str, Caller]:
    """Return what pages show of a session's caller; a context processor, for views that know only its user."""
    user = getattr(request, "user", None)
    if isinstance(user, Caller):
        return {"caller": user}  # of a view of the console, which has found it
    return {"caller": Caller.of_owner(user.pk, email=user.email)} if user and user.is_authenticated else {}


def sign_in(request: HttpRequest, response: HttpResponse, caller: Caller) -> None:
    """Sign a browser in with a key, in place of any session."""
    _end_session(request)
    response.set_signed_cookie(
        _cookie_name(),
        f"{caller.owner_id} {caller.key_id}",
        salt=_SALT,
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def sign_out(request: HttpRequest, response: HttpResponse) -> None:
    _end_session(request)
    forget_key(response)


def forget_key(response: HttpResponse) -> None:
    """Delete the cookie that names a key."""
    response.delete_cookie(_cookie_name(), samesite="Lax")
    if settings.SESSION_COOKIE_SECURE:
        response.cookies[_cookie_name()]["secure"] = True


def _end_session(request: HttpRequest) -> None:
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        request.session.flush()


def _cookie_name() -> str:
    return "__Host-console" if settings.SESSION_COOKIE_SECURE else "paliapi_console"
