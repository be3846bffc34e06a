"""Signing in to the console: the browser keeps a signed cookie that names a key, and every request checks the key.

The cookie is useless once the key is revoked or has expired, or its owner is inactive. It permits what the key permits.
"""

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.access import Caller
from accounts.authentication import caller_of_key

_SALT = "console.session"


class SessionAuthentication(BaseAuthentication):
    """Authentication by the cookie of the console."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        caller = signed_in_caller(request)
        if caller is None:
            return None
        structlog.contextvars.bind_contextvars(owner_id=caller.owner_id, key_id=caller.key_id)
        return caller, caller

    def authenticate_header(self, _request: Request) -> str:
        return "Session"


def signed_in_caller(request: HttpRequest | Request) -> Caller | None:
    """Return the caller of a browser that has signed in, if the key that it used is still active."""
    value = request.get_signed_cookie(_cookie_name(), "", salt=_SALT, max_age=settings.SESSION_COOKIE_AGE) or ""
    owner_id, _, key_id = value.partition(" ")
    if not (owner_id.isdecimal() and key_id.isdecimal()):
        return None
    return caller_of_key(owner_id=int(owner_id), key_id=int(key_id))


def sign_in(response: HttpResponse, caller: Caller) -> None:
    """Sign a browser in with a key."""
    response.set_signed_cookie(
        _cookie_name(),
        f"{caller.owner_id} {caller.key_id}",
        salt=_SALT,
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def sign_out(response: HttpResponse) -> None:
    response.delete_cookie(_cookie_name(), samesite="Lax")
    if settings.SESSION_COOKIE_SECURE:
        response.cookies[_cookie_name()]["secure"] = True


def _cookie_name() -> str:
    return "__Host-console" if settings.SESSION_COOKIE_SECURE else "paliapi_console"
