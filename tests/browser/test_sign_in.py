"""Signing in and out, as a person does."""

from typing import Any

from tests.browser.chromium import Tab, opened
from tests.browser.conftest import Site
from tests.browser.test_every_page import assert_presentable


def test_key_signs_in_where_the_visitor_wanted_to_go_until_signing_out(visitor: Tab, key: str) -> None:
    page = visitor.page
    visitor.open("/account/")
    page.locator("summary", has_text="With an API key").click()
    page.get_by_label("API key").fill("pali_wrong")
    visitor.expect("403")
    page.get_by_role("button", name="Sign in with the key").click()
    page.get_by_text("This is not an active key.").wait_for()
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in with the key").click()
    page.wait_for_url("**/account/")
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")
    visitor.open("/account/")
    assert "/sign-in/" in page.url


def test_link_signs_in_once(visitor: Tab, chromium: Any, site: Site) -> None:
    site.new_account("link@example.com")
    link = site.manage("sign_in_link", "link@example.com")
    assert link.startswith(site.url)
    page = visitor.page
    page.goto(link)
    page.get_by_text("link@example.com").wait_for()
    assert_presentable(visitor, "sign-in-link")
    page.get_by_role("button", name="Sign in").press("Enter")
    page.wait_for_url("**/search/")
    page.get_by_role("heading", name="Three steps to the first region").wait_for()
    with opened(chromium, site.url) as another:
        another.expect("403")
        another.page.goto(link)
        another.page.get_by_text("was used before").wait_for()


def test_invited_user_sets_a_password_and_signs_in(visitor: Tab, site: Site) -> None:
    password = "nine lamps at Eddystone"
    link = site.manage("invite", "invited@example.com")
    page = visitor.page
    page.goto(link)
    assert_presentable(visitor, "password-link")
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("E-mail").fill("invited@example.com")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Three steps to the first region").wait_for()
