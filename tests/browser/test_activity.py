"""What is being processed, and what failed, followed and retried in the browser."""

from typing import Any

import httpx

from tests.browser.chromium import opened
from tests.browser.conftest import HOSTILE_NAMES, Site, state_after_signing_in
from tests.browser.test_every_page import assert_presentable
from tests.collections_app.engine.rendering.samples import pdf


def test_failures_appear_and_those_chosen_are_retried(chromium: Any, site: Site) -> None:
    key = site.new_account("activity@example.com")
    with opened(chromium, site.url, storage_state=state_after_signing_in(chromium, site, key)) as tab:
        page = tab.page
        tab.open("/activity/?state=failed")
        page.get_by_text("No document has failed.").wait_for()
        with httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            for name in HOSTILE_NAMES:
                form = {"name": name, "collection_name": name}
                content = pdf("secret", encrypt=True)
                client.post("/v1/documents/upsert-document/", data=form, files={"file": ("file", content)})
        page.locator("tbody tr").nth(len(HOSTILE_NAMES) - 1).wait_for()  # without a reload
        box = page.locator("tbody input").first
        box.check()
        for _ in range(2):  # with the second response, the list of the first is in place
            page.locator("#jobs:not(.htmx-request)").wait_for()
            with page.expect_response("**/activity/?state=failed", timeout=30_000):
                page.evaluate("document.body.dispatchEvent(new CustomEvent('account-changed'))")
        assert box.is_checked()
        page.locator("#change-all summary").click()
        assert_presentable(tab, "activity")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Retry those chosen").click()
        page.get_by_text("1 document was queued again.").wait_for()
        page.locator("#change-all summary").click()
        page.locator("#confirm-all").click()
        page.get_by_text("queued again.").wait_for()
        tab.open("/activity/")
        page.get_by_text("Nothing is being processed.").wait_for()  # all have failed again
        assert_presentable(tab, "activity-idle")
