"""Signing in with a link that works once."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.sign_in_links import LinkNotValid, email_of_link, redeem_link
from console import access


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest) -> HttpResponse:
    """Show whose account the link opens, and sign in when that is confirmed.

    Programs that follow links, such as previews in messengers, send no form, so they do not use the link up. The
    account is shown because a link may be sent by a stranger.
    """
    try:
        if request.method != "POST":
            token = request.GET.get("token", "")
            context = {"token": token, "email": email_of_link(token)}
            return render(request, "console/sign_in_link.html", context)
        lifetime = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        caller = redeem_link(request.POST.get("token", ""), session=lifetime)
    except LinkNotValid as problem:
        return render(request, "console/sign_in_link.html", {"problem": problem.title}, status=403)
    response = redirect("console-home")
    access.sign_in(request, response, caller)
    return response
