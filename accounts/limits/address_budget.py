"""A budget by client address for every request without a valid API key: pages, signed links, refusals, the admin."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from accounts.rate_limits import spend
from accounts.sign_in import is_known_browser
from accounts.views import OwnedView
from paliapi.errors import LimitReached
from paliapi.http.client_address import client_network
from paliapi.http.problems import error_response

# Probes, which must always be answered. They cost next to nothing.
_FREE = frozenset({"livez", "readyz", "metrics", "getHealth"})


class AddressRateLimited(LimitReached):
    code = "address_rate_limited"
    title = "Too many requests without a valid key from this address."


class AddressBudget:
    """Charges a request before its view if that needs no key, and otherwise if its key is missing or invalid.

    Requests with a valid key never pay, so that clients behind one address do not depend on each other.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        unknown_url = response.status_code == HTTPStatus.NOT_FOUND and match is None
        no_key = response.status_code == HTTPStatus.UNAUTHORIZED and match is not None and _is_owned(match.func)
        return (_refusal(request) if unknown_url or no_key else None) or response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponseBase | None:
        if _is_owned(view) or _is_free(request, request.resolver_match):
            return None
        return _refusal(request)


def _is_owned(view: Any) -> bool:
    """Return whether a view authenticates requests by their key."""
    return issubclass(getattr(view, "cls", object), OwnedView)


def _is_free(request: HttpRequest, match: ResolverMatch | None) -> bool:
    """Return whether a request costs nothing: a probe, or one of the admin from a browser that has signed in before."""
    if match is None:
        return False
    return match.view_name in _FREE or ("admin" in match.namespaces and is_known_browser(request))


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    """Charge one unit to the address; return the response if it cannot pay."""
    rate = settings.ENV.address_rate_per_minute
    balance = spend(f"address:{client_network(request)}", cost=1, per_minute=rate, burst=max(1, rate // 2))
    if balance is None or balance.allowed:
        return None
    return error_response(AddressRateLimited(retry_after_s=balance.wait_s))
