"""Signing in with a password or an API key, and signing out."""

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import caller_with_key
from accounts.browsers.pages import sign_in_page
from accounts.ownership import SignInUnavailable
from console import access
from paliapi.http.client_address import client_address

_FOUND = 302


class PasswordSignIn(LoginView):
    """The form, and what follows a correct password: the second factor, or the page that the browser came from."""

    template_name = "console/sign_in.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return {**super().get_context_data(**more), **_page(self.request)}


_with_password = sign_in_page(PasswordSignIn.as_view())


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Show the forms; sign in, and continue where the browser came from."""
    if "key" in request.POST:
        return _sign_in_with_key(request)
    try:
        response = _with_password(request)
    except SignInUnavailable:
        if request.method == "POST":
            raise
        return render(request, "console/sign_in.html", {"next": _next(request)})
    if request.method == "POST" and isinstance(response, HttpResponse) and response.status_code == _FOUND:
        access.forget_key(response)
    return response


def _sign_in_with_key(request: HttpRequest) -> HttpResponse:
    after = _next(request)
    caller = caller_with_key(request.POST["key"].strip(), address=client_address(request))
    if caller is None:
        problem = "This is not an active key. It may be incomplete, revoked or expired."
        context = {**_page(request), "problem": problem}
        return render(request, "console/sign_in.html", context, status=403)
    response = redirect(after or "console-home")
    access.sign_in(request, response, caller)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    response = redirect("console-sign-in")
    access.sign_out(request, response)
    return response


def _page(request: HttpRequest) -> dict[str, Any]:
    env = settings.ENV
    return {"next": _next(request), "passwords": True, "openid": env.oidc_name if env.oidc_issuer else ""}


def _next(request: HttpRequest) -> str:
    """Return the URL to continue at if it is one of this server, else an empty string."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    is_local = url.startswith("/") and url_has_allowed_host_and_scheme(url, {request.get_host()})
    return url if is_local else ""
