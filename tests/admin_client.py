"""A client of the admin, which is a process of its own: other URLs, middleware and database role than the API's."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import override_settings

from accounts.models import CustomUser
from accounts.ownership import managing_users

PASSWORD = "a-password-of-the-tests"


class AdminHandler(ClientHandler):
    _middleware_chain: ClassVar[Any] = None

    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=settings.ADMIN_MIDDLEWARE):
            super().load_middleware(is_async)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = settings.ADMIN_URLCONF
        return super().get_response(request)


class AdminClient(Client):
    """Sends requests to the admin."""

    def __init__(self, *, enforce_csrf_checks: bool = False) -> None:
        super().__init__(enforce_csrf_checks=enforce_csrf_checks)
        self.handler = AdminHandler(enforce_csrf_checks)

    def request(self, **request: Any) -> Any:
        with managing_users():
            return super().request(**request)

    def force_login(self, user: Any, backend: str | None = None) -> None:
        with managing_users():
            super().force_login(user, backend)


def superuser(email: str = "root@example.com", *, password: str = PASSWORD) -> CustomUser:
    with managing_users():
        return CustomUser.objects.create_superuser(email, password=password)


def staff_without_rights(email: str = "helper@example.com") -> CustomUser:
    with managing_users():
        return CustomUser.objects.create_user(email, password=PASSWORD, is_staff=True)


def admin_client(user: CustomUser | None = None) -> AdminClient:
    """Return a client in which this user, or a new superuser, has logged in."""
    client = AdminClient()
    client.force_login(user or superuser())
    return client
