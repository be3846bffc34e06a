"""Webhooks that are created, tested and replayed in the browser."""

from tests.browser.chromium import Tab
from tests.collections_app.webhooks.receiving import verify
from tests.embeddings.scripted import ScriptedServer


def fill_in(tab: Tab, url: str) -> None:
    """Open the form for a new webhook, and type its URL."""
    tab.open("/webhooks/")
    if not tab.page.get_by_label("URL that receives").is_visible():
        tab.page.locator("summary", has_text="Create a webhook").click()
    tab.page.get_by_label("URL that receives").fill(url)


def create_webhook(tab: Tab, url: str) -> str:
    """Create a webhook, and return its secret."""
    fill_in(tab, url)
    tab.page.get_by_role("button", name="Create webhook").click()
    tab.page.get_by_role("button", name="Copy the secret").click()
    tab.page.get_by_text("Copied.").wait_for()
    return str(tab.page.evaluate("navigator.clipboard.readText()"))


def test_test_message_is_signed_logged_and_replayed(tab: Tab, receiver: ScriptedServer) -> None:
    page = tab.page
    secret = create_webhook(tab, f"{receiver.url}/replayed")
    page.get_by_role("link", name="To the webhook").click()
    page.get_by_role("button", name="Send a test").click()
    page.locator(".badge", has_text="delivered").wait_for()  # without a reload
    page.get_by_role("link", name="webhook.test").click()
    assert '"type": "webhook.test"' in page.locator("#payload").inner_text()
    page.get_by_text("received").wait_for()
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/webhooks/*/")
    page.locator(".badge", has_text="delivered").wait_for()
    sent = [request for request in receiver.requests if request.path == "/replayed"]
    assert [verify(request, secret)["type"] for request in sent] == ["webhook.test"] * 2
    assert len({request.headers["webhook-id"] for request in sent}) == 1
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("summary", has_text="rotate the secret").click()
    page.get_by_role("button", name="Delete webhook").click()
    page.wait_for_url("**/webhooks/")
    assert page.get_by_text("/replayed").count() == 0


def test_address_that_is_refused_stays_in_the_form(tab: Tab) -> None:
    fill_in(tab, "http://localhost/hook")
    tab.expect("422")
    tab.page.get_by_role("button", name="Create webhook").click()
    tab.page.get_by_role("alert").wait_for()
    assert tab.page.get_by_label("URL that receives").input_value() == "http://localhost/hook"
