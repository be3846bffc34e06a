"""Every page in both themes and at three widths: axe-core, overflow, complaints of the console, and screenshots."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import severe_findings
from tests.browser.chromium import THEMES, Tab, opened
from tests.browser.conftest import HOSTILE_NAMES, Site, state_after_signing_in
from tests.browser.test_page import open_page
from tests.browser.test_search import ask
from tests.browser.test_webhooks import create_webhook
from tests.embeddings.scripted import ScriptedServer

WIDTHS = (360, 1280, 2560)


def _with_options(tab: Tab) -> None:
    tab.open("/search/?q=lighthouse&ranking=hybrid&filter=" + '{"key":"year","op":"gte","value":2000}')
    tab.page.locator(".hit").first.wait_for()


def _with_receipt(tab: Tab) -> None:
    ask(tab, "lighthouse")
    tab.page.locator("summary", has_text="Receipt").click()


def _without_hits(tab: Tab) -> None:
    tab.open("/search/?q=zebra&ranking=lexical")
    tab.page.get_by_text("No page matches.").wait_for()


def _with_heat(tab: Tab) -> None:
    open_page(tab, 2, q="Fresnel lens at Cordouan")
    tab.page.locator("#heat-controls").wait_for()


def _with_new_key(tab: Tab) -> None:
    tab.open("/keys/")
    tab.page.locator("summary", has_text="Create a key").click()
    tab.page.get_by_role("button", name="Create key").click()
    tab.page.get_by_role("heading", name="is shown only now").wait_for()


def _evaluation(tab: Tab) -> None:
    tab.open("/evaluations/")
    tab.page.get_by_label("Name", exact=True).fill("Lights")
    tab.page.get_by_label("Collection").select_option("sea")
    tab.page.locator("#queries").fill('{"_id": "1", "text": "lens"}\n{"_id": "2", "text": "zebra"}')
    tab.page.locator("#qrels").fill("1\tlighthouses.pdf#2\t1\n2\tlighthouses.pdf#1\t1")
    tab.page.get_by_role("button", name="Create").click()
    for _ in range(2):
        tab.page.get_by_role("button", name="Run").click()
        tab.page.get_by_text("Running").or_(tab.page.get_by_text("Queued")).first.wait_for()
        tab.page.locator("#runs:not([hx-trigger])").wait_for()
        tab.page.reload()
    tab.page.get_by_role("button", name="Compare").click()


def _not_found(tab: Tab) -> None:
    tab.expect("404")
    tab.open("/page/?collection=sea&document=no+such.pdf&page=1")
    tab.page.get_by_role("heading").wait_for()


def _damaged(tab: Tab) -> None:
    tab.expect("422")
    tab.open("/search/?q=lighthouse&filter={")
    tab.page.get_by_text("search_url_invalid").wait_for()


def _used_link(tab: Tab) -> None:
    tab.expect("403")
    tab.open("/sign-in/link/?token=1")
    tab.page.get_by_role("alert").wait_for()


def _path(path: str) -> Callable[[Tab], None]:
    return lambda tab: tab.open(path)


PAGES: dict[str, Callable[[Tab], None]] = {
    "sign-in": _path("/sign-in/"),
    "sign-in-link-used": _used_link,
    "search": _path("/search/"),
    "search-hits": lambda tab: ask(tab, "Fresnel lens at Cordouan"),
    "search-options": _with_options,
    "search-receipt": _with_receipt,
    "search-without-hits": _without_hits,
    "search-damaged": _damaged,
    "page": lambda tab: open_page(tab, 1),
    "page-heat": _with_heat,
    "account": _path("/account/"),
    "keys": _path("/keys/"),
    "keys-new": _with_new_key,
    "webhooks": _path("/webhooks/"),
    "quality": _path("/quality/"),
    "quality-collection": _path("/quality/collection/?collection=sea"),
    "evaluations": _path("/evaluations/"),
    "evaluation": _evaluation,
    "not-found": _not_found,
}


def assert_presentable(tab: Tab, name: str) -> None:
    """Assert that a page is accessible and fits the screen, in both themes and at each width."""
    for theme in THEMES:
        tab.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        for width in WIDTHS:
            tab.page.set_viewport_size({"width": width, "height": 800})
            tab.photograph(f"{name}-{theme}-{width}")
            assert not (wide := tab.overflow()), (theme, width, wide)
        tab.page.set_viewport_size({"width": 1280, "height": 800})
        assert severe_findings(tab.page) == [], theme
    assert tab.page.evaluate("window.executed") is None


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_and_fits_in_both_themes(tab: Tab, name: str) -> None:
    PAGES[name](tab)
    assert_presentable(tab, name)


def test_pages_of_a_webhook_are_accessible_and_fit(tab: Tab, receiver: ScriptedServer) -> None:
    create_webhook(tab, f"{receiver.url}/{'long' * 60}")
    assert_presentable(tab, "webhook-secret")
    tab.page.get_by_role("link", name="To the webhook").click()
    tab.page.get_by_role("button", name="Send a test").click()
    tab.page.locator(".badge", has_text="delivered").wait_for()
    tab.page.locator("summary", has_text="rotate the secret").click()
    assert_presentable(tab, "webhook")
    tab.page.get_by_role("link", name="webhook.test").click()
    tab.page.get_by_role("heading", name="Payload").wait_for()
    assert_presentable(tab, "webhook-delivery")
    tab.open("/webhooks/")
    assert_presentable(tab, "webhooks-listed")


def test_first_visit_leads_to_the_first_region(chromium: Any, site: Site) -> None:
    key = site.new_account("new@example.com")
    with opened(chromium, site.url, storage_state=state_after_signing_in(chromium, site, key)) as tab:
        page = tab.page
        tab.open("/search/")
        page.get_by_role("heading", name="Three steps to the first region").wait_for()
        assert_presentable(tab, "first-visit")
        page.get_by_role("button", name="Add the sample").click()
        page.get_by_text("Done", exact=True).wait_for()  # without a reload
        tab.open("/search/")
        assert_presentable(tab, "first-visit-added")
        page.get_by_role("link", name="How far is a light seen").click()
        page.locator(".hit rect").first.wait_for()
        page.locator(".hit a.sheet").first.click()
        page.locator(".paper .regions rect").first.wait_for()


def test_theme_is_kept(tab: Tab) -> None:
    tab.open("/search/")
    for theme in ("light", "dark"):
        tab.page.get_by_role("button", name="Change the theme").click()
        tab.page.reload()
        assert tab.page.evaluate("document.documentElement.dataset.theme") == theme


def test_hostile_names_and_text_execute_nothing_and_fit(chromium: Any, site: Site, hostile_key: str) -> None:
    state = state_after_signing_in(chromium, site, hostile_key)
    with opened(chromium, site.url, storage_state=state) as tab:
        ask(tab, "lighthouse <img src=x onerror=window.executed=1>")
        assert {*tab.page.locator(".hit h2").all_text_contents()} == {*HOSTILE_NAMES}
        tab.page.locator("summary", has_text="Options").click()
        assert_presentable(tab, "hostile-search")
        for number in range(len(HOSTILE_NAMES)):
            ask(tab, "lighthouse <img src=x onerror=window.executed=1>")
            tab.page.locator(".hit a.sheet").nth(number).click()
            tab.page.locator("#heat-controls").wait_for()
            assert_presentable(tab, f"hostile-page-{number}")
        tab.open("/keys/")
        tab.page.locator("summary", has_text="Create a key").click()
        tab.page.get_by_label("Name").fill(f"{'😀' * 30}<script>window.executed=1</script>")
        tab.page.get_by_label("Only these collections").fill("\n".join(HOSTILE_NAMES))
        tab.page.get_by_role("button", name="Create key").click()
        tab.page.get_by_role("heading", name="is shown only now").wait_for()
        assert_presentable(tab, "hostile-keys")
