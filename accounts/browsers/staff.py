"""Signing in to the admin: after the password, the same second factor as in the console."""

import time
from typing import Any

from allauth.core import context
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.browsers.database import signing_in
from accounts.browsers.forms import CodeForm, KeyForm
from accounts.browsers.second_factors import second_factors_of
from accounts.models import CustomUser
from accounts.sign_in import remember_browser

_PENDING, _PASSED = "_staff_pending", "_staff_second_factor"
_WITHIN_S = 600
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def is_complete(request: HttpRequest) -> bool:
    """Return whether the session has passed the second factor, if every session must."""
    return not _is_required() or bool(request.session.get(_PASSED))


def after_password(request: HttpRequest, user: CustomUser, page: dict[str, Any]) -> HttpResponse:
    """Sign staff in whose password is correct, or ask for the second factor, or refuse if there is none."""
    after = _next(request)
    if second_factors_of(user.pk).is_on:
        request.session.flush()
        request.session[_PENDING] = [user.pk, user.get_session_auth_hash(), time.time(), after]
        return redirect("admin:second_factor")
    if _is_required():
        more = {"console": f"{settings.ENV.base_url}/security/", "title": "Second factor"}
        return TemplateResponse(request, "admin/second_factor_needed.html", {**page, **more}, status=403)
    return _signed_in(request, user, after)


def second_factor(request: HttpRequest, page: dict[str, Any]) -> HttpResponse:
    """Ask for the second factor of the user whose password was correct a moment ago."""
    pending: Any = request.session.get(_PENDING)
    user = _user(pending)
    if user is None:
        return redirect("admin:login")
    with signing_in(), context.request_context(request):
        # The one that was not sent stays empty.
        forms = [form(user=user, data=request.POST) for form in _sent(request)]
        if any(form.is_valid() for form in forms):
            forms[0].save()
            response = _signed_in(request, user, pending[3])
            request.session[_PASSED] = True
            return response
        problems = [problem for form in forms for lines in form.errors.values() for problem in lines]
        has_keys = bool(second_factors_of(user.pk).keys)
        options = {"request_options": begin_authentication(user)} if has_keys else None
        more = {"problems": problems, "js_data": options, "title": "Second factor"}
        return TemplateResponse(request, "admin/second_factor.html", {**page, **more}).render()


def _sent(request: HttpRequest) -> list[Any]:
    if request.method != "POST":
        return []
    return [CodeForm] if "code" in request.POST else [KeyForm]


def _user(pending: Any) -> CustomUser | None:
    if not pending or time.time() - pending[2] > _WITHIN_S:
        return None
    with signing_in():
        user = CustomUser.objects.filter(pk=pending[0], is_active=True, is_staff=True).first()
    return user if user and user.get_session_auth_hash() == pending[1] else None


def _signed_in(request: HttpRequest, user: CustomUser, after: str) -> HttpResponse:
    request.session.pop(_PENDING, None)
    with signing_in():
        login(request, user, backend=_BACKEND)
    response = redirect(after or "admin:index")
    remember_browser(request, response)
    return response


def _is_required() -> bool:
    return settings.ENV.staff_second_factor == "required"


def _next(request: HttpRequest) -> str:
    url = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    return url if url_has_allowed_host_and_scheme(url, {request.get_host()}) and url.startswith("/") else ""
