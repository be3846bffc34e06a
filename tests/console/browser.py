"""A browser for tests: it keeps cookies, and asks for pages."""

from typing import Any

from django.test import Client

from tests.cast import Someone

HTML = {"Accept": "text/html,application/xhtml+xml"}


class Browser(Client):
    """Sends requests to the console, signed in with a key."""

    def __init__(self, who: Someone | None = None, *, enforce_csrf_checks: bool = False, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks=enforce_csrf_checks, **defaults)
        if who:
            Client.post(self, "/sign-in/", {"key": who.key}, headers=HTML)

    def page(self, path: str, params: dict[str, Any] | None = None) -> Any:
        return self.get(path, params or {}, headers=HTML)

    def sign_in(self, email: str, password: str, **more: str) -> Any:
        return self.post("/sign-in/", {"login": email, "password": password, **more}, headers=HTML)
