"""Signing in with an OpenID Connect provider."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from requests import RequestException

from accounts.browsers.openid import OpenIdFailed
from accounts.browsers.pages import sign_in_page
from console import access
from paliapi.errors import Unavailable


class OpenIdUnavailable(Unavailable):
    code = "openid_unavailable"
    title = "The provider cannot be reached; sign in with a password, or try again later."


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, **path: Any) -> HttpResponseBase:
        try:
            return view(request, **path)
        except RequestException as exc:
            raise OpenIdUnavailable from exc
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            raise OpenIdFailed from exc  # it has sent something else than the standard says

    return require_safe(guarded)


begin = _guarded(sign_in_page(views.login))
_finish = _guarded(sign_in_page(views.callback))


def finish(request: HttpRequest, **path: Any) -> HttpResponseBase:
    """Continue where the provider leads back to."""
    response = _finish(request, **path)
    if isinstance(response, HttpResponse):
        access.forget_key(response)
    return response


@require_safe
def confirm(request: HttpRequest) -> HttpResponse:
    """Lead a user who has no other way to confirm who it is to the provider, which asks for it again."""
    if not settings.ENV.oidc_issuer:
        raise Http404
    params = {"next": request.GET.get("next", ""), "auth_params": "prompt=login"}
    context = {
        "openid": settings.ENV.oidc_name,
        "url": f"{reverse('openid_connect_login', args=['openid'])}?{urlencode(params)}",
    }
    return render(request, "console/second_factor/confirm_provider.html", context)
