"""Keys that are created, copied and revoked in the browser."""

import httpx

from tests.browser.chromium import Tab


def status_with(key: str, url: str) -> int:
    return httpx.get(f"{url}/v1/me/", headers={"Authorization": f"Bearer {key}"}).status_code


def test_key_that_is_created_and_copied_works_until_it_is_revoked(tab: Tab) -> None:
    page = tab.page
    tab.open("/keys/")
    page.locator("summary", has_text="Create a key").click()
    page.get_by_label("Name").fill("from the browser")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("heading", name="is shown only now").wait_for()
    page.get_by_role("button", name="Copy the key").click()
    page.get_by_text("Copied.").wait_for()
    key = page.evaluate("navigator.clipboard.readText()")
    assert key == page.locator("#key-text").inner_text()
    assert status_with(key, tab.url) == 200
    tab.open("/keys/")
    assert key not in page.content()
    row = page.get_by_role("row", name="from the browser")
    row.locator("summary", has_text="Revoke").click()
    row.get_by_role("button", name="Revoke").click()
    row.get_by_text("revoked").wait_for()
    assert status_with(key, tab.url) == 401
