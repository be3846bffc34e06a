"""The admin site, whose views see the rows of every owner while a request runs."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

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

    def has_permission(self, request: HttpRequest) -> bool:
        from accounts.browsers import staff  # noqa: PLC0415 - workers, which serve no pages, lack its apps

        return super().has_permission(request) and staff.is_complete(request)

    def get_urls(self) -> list[Any]:
        return [path("second-factor/", self.second_factor, name="second_factor"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from accounts.browsers import staff  # noqa: PLC0415 - as above

        if request.method != "POST":
            return super().login(request, extra_context)
        form = self.login_form(request, data=request.POST)
        page = {**self.each_context(request), **(extra_context or {})}
        if form.is_valid():
            return staff.after_password(request, form.get_user(), page)
        after = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
        more = {"title": "Log in", "form": form, "app_path": request.get_full_path(), REDIRECT_FIELD_NAME: after}
        return TemplateResponse(request, "admin/login.html", {**page, **more})

    @method_decorator(never_cache)
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        from accounts.browsers import staff  # noqa: PLC0415 - as above

        return staff.second_factor(request, self.each_context(request))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        with sign_in.own_password_attempt(request) if request.method == "POST" else nullcontext():
            return super().password_change(request, extra_context)
