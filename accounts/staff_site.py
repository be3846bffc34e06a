"""The admin site, whose views see the rows of every owner while a request runs."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from accounts.ownership import acting_as_staff
from accounts.rate_limits import spend
from paliapi.errors import LimitReached
from paliapi.http.problems import error_response

_LOGINS_PER_MINUTE = 5
_LOGINS_AT_ONCE = 10

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class TooManyLogins(LimitReached):
    code = "too_many_logins"
    title = "Too many login attempts."


class StaffSite(AdminSite):
    site_header = site_title = "PaliAPI"
    index_title = "Accounts and documents"
    # The lists need the width, and the index page has the same links.
    enable_nav_sidebar = False

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002 - as Django calls it
        @wraps(view)
        def as_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with acting_as_staff():
                response = view(request, *args, **kwargs)
                # Templates run queries too, and usually only after the view has returned.
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return super().admin_view(cast(View, as_staff), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            client = f"{request.META.get('REMOTE_ADDR', '')} {request.POST.get('username', '').strip().lower()}"
            bucket = f"login:{hashlib.sha256(client.encode('utf-8', 'surrogatepass')).hexdigest()}"
            balance = spend(bucket, cost=1, per_minute=_LOGINS_PER_MINUTE, burst=_LOGINS_AT_ONCE)
            if balance is not None and not balance.allowed:
                return error_response(TooManyLogins(retry_after_s=balance.wait_s))
        return super().login(request, extra_context)
