"""Signing in with an API key, and signing out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import caller_with_key
from console import access
from paliapi.http.client_address import client_address


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; with a valid key, sign in and continue where the browser came from."""
    after = _local(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.method != "POST":
        return render(request, "console/sign_in.html", {"next": after})
    caller = caller_with_key(request.POST.get("key", "").strip(), address=client_address(request))
    if caller is None:
        problem = "This is not an active key. It may be incomplete, revoked or expired."
        return render(request, "console/sign_in.html", {"next": after, "problem": problem}, status=403)
    response = redirect(after or "console-home")
    access.sign_in(response, caller)
    return response


@require_POST
def sign_out(_request: HttpRequest) -> HttpResponse:
    response = redirect("console-sign-in")
    access.sign_out(response)
    return response


def _local(request: HttpRequest, url: str) -> str:
    """Return the URL if it is one of this server, else an empty string."""
    is_local = url.startswith("/") and url_has_allowed_host_and_scheme(url, {request.get_host()})
    return url if is_local else ""
