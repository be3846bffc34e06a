"""The base class of the console's views."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from console.access import SessionAuthentication


class ConsoleView(OwnedView):
    """A view for the owner that has signed in: with its transaction, costs and limits like a view of the API.

    `template` names its page, and `section` the entry of the navigation that leads to it.
    """

    authentication_classes = (SessionAuthentication,)
    schema = None  # not part of the API
    costs: ClassVar[Mapping[str, int]] = {"GET": 1, "POST": 1}
    template: ClassVar[str] = ""
    section: ClassVar[str] = ""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, for which CSRF is checked, unlike those of the API: browsers send cookies by themselves."""
        view = super().as_view(**initkwargs)
        view.csrf_exempt = False
        return view

    @property
    def http_request(self) -> HttpRequest:
        """The request as Django knows it."""
        request: HttpRequest = self.request._request
        return request

    @property
    def form(self) -> QueryDict:
        """The fields of a form that was sent."""
        return self.http_request.POST

    def search_slot(self) -> AbstractContextManager[None]:
        """Hold one of the owner's slots for searches."""
        return concurrent("search", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_searches)

    def page(self, *, status: int = 200, template: str = "", **context: Any) -> HttpResponse:
        """Return the page with this context."""
        everywhere = {"section": self.section, "caller": self.caller}
        return render(self.http_request, template or self.template, {**everywhere, **context}, status=status)
