"""How the account is protected: its password and second factors, and the sessions that are signed in with them."""

from typing import Any, ClassVar

from allauth.account.views import PasswordChangeView, PasswordSetView
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from rest_framework.request import Request

from accounts.access import Scope
from accounts.browsers import sessions
from accounts.browsers.pages import sign_in_page
from accounts.browsers.second_factors import has_password, second_factors_of
from console.views.base import ConsoleView
from paliapi.errors import Forbidden


class PasswordNeeded(Forbidden):
    code = "password_needed"
    title = "This needs a session that began with a password."


class Security(ConsoleView):
    """What there is; all of it, if the browser signed in with a password."""

    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None, "HEAD": None}
    template = "console/security.html"
    section = "security"

    def get(self, _request: Request) -> HttpResponse:
        if self.caller.key_id:
            return self.page()
        key = self.http_request.session.session_key
        return self.page(
            sessions=sessions.sessions_of(self.caller.owner_id, current=key),
            factors=second_factors_of(self.caller.owner_id),
            has_password=has_password(self.caller.owner_id),
        )


class EndedSessions(ConsoleView):
    """Ends one session, or with `everywhere` all of them."""

    scopes: ClassVar[dict[str, Scope | None]] = {"POST": None}

    def post(self, _request: Request) -> HttpResponse:
        if self.caller.key_id:
            raise PasswordNeeded
        if "everywhere" in self.form:
            sessions.end_sessions(self.caller.owner_id)
        else:
            sessions.end_session(self.caller.owner_id, self.form.get("session", ""))
        return redirect("console-security")


class _Password:
    """A form for a password, which ends all other sessions."""

    template_name = "console/password.html"
    success_url = reverse_lazy("console-security")

    def form_valid(self, form: Any) -> HttpResponse:
        view: Any = self
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        sessions.end_sessions(view.request.user.pk, but=view.request.session.session_key)
        return response


class ChangedPassword(_Password, PasswordChangeView):
    extra_context: ClassVar = {"title": "Change the password"}


class FirstPassword(_Password, PasswordSetView):
    """For users who have signed in with a provider only."""

    extra_context: ClassVar = {"title": "Set a password"}


changed_password = sign_in_page(ChangedPassword.as_view())
first_password = sign_in_page(FirstPassword.as_view())
