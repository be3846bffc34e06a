"""How often passwords and codes may be tried, and how many passwords are checked at once.

Checking a password takes most of a second of a core, on purpose. So few are checked at once, and every attempt first
takes from budgets in Redis; without Redis there are no attempts.

An address has one budget for all names and one for each name. A budget for each name slows down guessing from many
addresses: once it is used up, an address has one attempt a minute at this name, so that no one can lock a user out. A
browser in which the user has signed in before has a budget and a slot of its own, which guessing cannot use up.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse

from accounts.models import CustomUser
from accounts.rate_limits import Balance, spend
from paliapi.errors import LimitReached, Unavailable
from paliapi.http.client_address import client_network

# Attempts per minute.
_PER_ADDRESS = 20
_PER_NAME_AND_ADDRESS = 5
_PER_NAME = 30
_PER_NAME_AND_ADDRESS_WHEN_SLOWED = 1
_PER_BROWSER = 5
_PER_SESSION = 5
_CODES_PER_USER = 5

_WAIT_S = 5.0
_REDIS_RETRY_S = 5.0
_BROWSER_COOKIE_AGE_S = int(timedelta(days=180).total_seconds())
_SALT = "accounts.sign_in"


class TooManyLogins(LimitReached):
    code = "too_many_logins"
    title = "Too many login attempts."


class LoginBusy(Unavailable):
    code = "login_busy"
    title = "Other passwords are being checked; try again."


class LoginsUnavailable(Unavailable):
    code = "logins_unavailable"
    title = "Passwords are not accepted while Redis is unavailable."


class _Checks:
    """Allows one check at a time, for which two more may wait."""

    def __init__(self) -> None:
        self._running = BoundedSemaphore(1)
        self._present = BoundedSemaphore(3)

    @contextmanager
    def one(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise LoginBusy(retry_after_s=1)
        try:
            if not self._running.acquire(timeout=_WAIT_S):
                raise LoginBusy(retry_after_s=1)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._present.release()


_known_checks, _unknown_checks = _Checks(), _Checks()


class SignInForm(AdminAuthenticationForm):
    """The form of the admin's login, which checks the password of an admitted attempt only."""

    def clean(self) -> dict[str, object]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not (name and password and self.request):
            return super().clean()
        with password_attempt(self.request, name):
            return super().clean()


@contextmanager
def password_attempt(request: HttpRequest, name: str) -> Iterator[None]:
    """Admit an attempt at the password of the user with this e-mail, or raise."""
    with _attempt(request, _digest(CustomUser.objects.normalize_email(name))):
        yield


def charge_code(user_id: int) -> None:
    """Admit an attempt at a code of the second factor of a user, or raise: five at once, then one a minute."""
    balance = spend(f"login:code:{user_id}", cost=1, per_minute=1, burst=_CODES_PER_USER)
    if balance is None:
        raise LoginsUnavailable(retry_after_s=_REDIS_RETRY_S)
    if not balance.allowed:
        raise TooManyLogins(retry_after_s=balance.wait_s)


@contextmanager
def own_password_attempt(request: HttpRequest) -> Iterator[None]:
    """Admit an attempt of a signed-in user at their own password, or raise."""
    _charge("session", str(request.user.pk), _PER_SESSION)
    with _known_checks.one():
        yield


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Store in a cookie that this user has signed in with this browser."""
    name = _digest(CustomUser.objects.normalize_email(request.user.get_username()))
    response.set_signed_cookie(
        _cookie_name(),
        f"{name} {secrets.token_hex(8)}",
        salt=_SALT,
        max_age=_BROWSER_COOKIE_AGE_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


@contextmanager
def _attempt(request: HttpRequest, name: str) -> Iterator[None]:
    browser = _known_browser(request, name)
    if browser:
        _charge("browser", browser, _PER_BROWSER)
    else:
        _charge_unknown(client_network(request), name)
    with (_known_checks if browser else _unknown_checks).one():
        yield


def _charge_unknown(network: str, name: str) -> None:
    # An address that has used up its own budgets takes nothing from the budget of the name.
    _charge("address", network, _PER_ADDRESS)
    _charge("name-address", f"{network} {name}", _PER_NAME_AND_ADDRESS)
    if not _take("name", name, _PER_NAME).allowed:
        _charge("slowed", f"{network} {name}", _PER_NAME_AND_ADDRESS_WHEN_SLOWED)


def _charge(kind: str, subject: str, per_minute: int) -> None:
    balance = _take(kind, subject, per_minute)
    if not balance.allowed:
        raise TooManyLogins(retry_after_s=balance.wait_s)


def _take(kind: str, subject: str, per_minute: int) -> Balance:
    balance = spend(f"login:{kind}:{_digest(subject)}", cost=1, per_minute=per_minute, burst=per_minute)
    if balance is None:
        raise LoginsUnavailable(retry_after_s=_REDIS_RETRY_S)
    return balance


def is_known_browser(request: HttpRequest) -> bool:
    """Return whether a user has signed in with this browser before."""
    return bool(_browser_cookie(request))


def _known_browser(request: HttpRequest, name: str) -> str:
    """Return the number of the browser if the user has signed in with it before, else an empty string."""
    user, _, browser = _browser_cookie(request).partition(" ")
    return browser if user == name else ""


def _browser_cookie(request: HttpRequest) -> str:
    return request.get_signed_cookie(_cookie_name(), "", salt=_SALT, max_age=_BROWSER_COOKIE_AGE_S) or ""


def _cookie_name() -> str:
    return "__Host-browser" if settings.SESSION_COOKIE_SECURE else "paliapi_browser"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
