"""The admin site, whose views see the rows of every owner while a request runs."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse

from accounts import sign_in
from accounts.ownership import acting_as_staff

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class StaffSite(AdminSite):
    site_header = site_title = "PaliAPI"
    index_title = "Accounts and documents"
    # The lists need the width, and the index page has the same links.
    enable_nav_sidebar = False
    login_form = sign_in.SignInForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leave out pages that django-allauth brings: staff see no secret of a second factor."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        for model in models:
            if not model.__module__.startswith("allauth."):
                super().register(model, admin_class, **options)

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002 - as Django calls it
        @wraps(view)
        def as_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with acting_as_staff():
                response = view(request, *args, **kwargs)
                # Templates run queries too, and usually only after the view has returned.
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return super().admin_view(cast(View, as_staff), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().login(request, extra_context)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            sign_in.remember_browser(request, response)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        with sign_in.own_password_attempt(request) if request.method == "POST" else nullcontext():
            return super().password_change(request, extra_context)
