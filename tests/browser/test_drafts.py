"""What was typed into a form outlives an expired session and a lost connection."""

from tests.browser.chromium import Tab


def _type(tab: Tab) -> None:
    tab.open("/collection/?collection=sea")
    tab.page.locator("summary", has_text="Rename, metadata, delete").click()
    tab.page.get_by_label("Metadata, a JSON object").fill('{"typed": "for an hour"')


def _assert_kept(tab: Tab) -> None:
    tab.page.get_by_text("What you typed has not been sent.").wait_for()
    assert tab.page.get_by_label("Metadata, a JSON object").input_value() == '{"typed": "for an hour"'
    assert tab.page.get_by_label("Metadata, a JSON object").is_visible()


def test_what_was_typed_is_there_after_signing_in_again(tab: Tab, key: str) -> None:
    page = tab.page
    _type(tab)
    page.context.clear_cookies(name="paliapi_console")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/sign-in/?next=*")
    page.locator("summary", has_text="With an API key").click()
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in with the key").click()
    page.wait_for_url("**/collection/?collection=sea")
    _assert_kept(tab)
    # What is sent and answered is not kept any longer.
    tab.expect("422")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Must be a JSON object.").first.wait_for()
    tab.open("/collection/?collection=sea")
    assert page.get_by_text("What you typed").count() == 0


def test_form_is_not_sent_without_a_connection(tab: Tab) -> None:
    page = tab.page
    tab.expect("ERR_INTERNET_DISCONNECTED")
    _type(tab)
    page.context.set_offline(True)
    page.get_by_text("The server cannot be reached.").wait_for()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("nothing was sent").wait_for()
    assert page.get_by_label("Metadata, a JSON object").input_value() == '{"typed": "for an hour"'
    page.context.set_offline(False)
    page.get_by_text("The server cannot be reached.").wait_for(state="detached")
