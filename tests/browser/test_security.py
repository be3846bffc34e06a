"""Signing in with a password and a security key, and the pages of both."""

from collections.abc import Iterator
from typing import Any

import pytest

from paliapi.configuration.values import parse_file
from tests.browser.chromium import Tab
from tests.browser.conftest import Site
from tests.browser.test_every_page import assert_presentable

EMAIL = "admin@localhost"


@pytest.fixture
def password(site: Site) -> str:
    return parse_file(site.stack.home.first_login.read_text())["PASSWORD"]


@pytest.fixture
def authenticator(visitor: Tab) -> Iterator[Any]:
    """A security key that confirms everything by itself; Chromium has it instead of a device."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    yield session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    session.detach()


def sign_in(tab: Tab, password: str) -> None:
    tab.open("/sign-in/?next=/security/")
    tab.page.get_by_label("E-mail").fill(EMAIL)
    tab.page.get_by_label("Password").fill(password)
    tab.page.get_by_role("button", name="Sign in", exact=True).click()


def test_security_key_signs_in_after_the_password(visitor: Tab, authenticator: Any, password: str) -> None:
    page = visitor.page
    sign_in(visitor, password)
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    page.get_by_role("link", name="Add a security key").click()
    page.get_by_label("Password").fill(password)
    assert_presentable(visitor, "security-confirm")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("My <b>key")
    assert_presentable(visitor, "security-add-key")
    page.get_by_role("button", name="Add the key").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert_presentable(visitor, "security-codes")
    page.get_by_role("link", name="Done").click()
    page.get_by_text("My <b>key").first.wait_for()
    assert_presentable(visitor, "security")
    page.get_by_role("link", name="Add an authenticator app").click()
    page.locator(".qr svg").wait_for()
    assert_presentable(visitor, "security-add-app")
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(visitor, password)
    page.get_by_role("heading", name="Second factor").wait_for()
    assert_presentable(visitor, "second-factor")
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("**/security/")
    page.get_by_role("link", name="Remove My").click()

    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Remove the key").click()
    page.get_by_text("With an authenticator app or a security key").wait_for()


def test_password_is_changed(visitor: Tab, password: str) -> None:
    page = visitor.page
    sign_in(visitor, password)
    page.get_by_role("link", name="Change the password").click()
    assert_presentable(visitor, "security-password")
    page.get_by_label("Current Password").fill("wrong")
    page.get_by_label("New Password", exact=True).fill(f"{password}x")
    page.get_by_label("New Password (again)").fill(f"{password}x")
    page.get_by_role("button", name="Change the password").click()
    page.locator(".error").first.wait_for()
    assert_presentable(visitor, "security-password-wrong")
