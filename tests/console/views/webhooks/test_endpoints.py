"""The pages of webhooks: create, change, disable, test, rotate the secret, delete, and the log."""

import re
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from tests.cast import Someone, with_key
from tests.collections_app.webhooks.receiving import (
    create_webhook,
    get_webhook,
    list_deliveries,
    receiving,
    request_test,
    send_all,
    verify,
)
from tests.console.browser import HTML, Browser
from tests.embeddings.scripted import Reply
from tests.statements import statements

URL = "https://93.184.216.34/hook"
ACTIONS = ("change", "switch", "test", "rotate", "delete", "deliveries/{delivery}/replay")


def send(browser: Browser, path: str, **form: Any) -> Any:
    return browser.post(f"/webhooks/{path}", form, headers=HTML)


def secret_on(page: Any) -> str:
    found = re.search(r'id="secret-text">(whsec_[^<]+)<', page.content.decode())
    assert found
    return found[1]


def text_of(browser: Browser, path: str) -> str:
    answer = browser.page(f"/webhooks/{path}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_secret_of_a_new_webhook_is_shown_once_and_signs(alice: Someone, browser: Browser, settings: Settings) -> None:
    with receiving(settings) as server:
        form = {"url": f" {server.url} ", "description": "<b>", "events": ["document.failed", "upsert.fail"]}
        answer = send(browser, "", **form)
        assert answer.status_code == 201
        [hook] = alice.get("/v1/webhooks/").json()
        assert (hook["url"], hook["events"]) == (server.url, ["document.failed", "upsert.fail"])
        assert send(browser, f"{hook['id']}/test/")["Location"] == f"/webhooks/{hook['id']}/"
        waiting = text_of(browser, f"{hook['id']}/")
        send_all()
        assert verify(server.requests[0], secret_on(answer))["type"] == "webhook.test"
    assert "every 2s" in waiting
    log = text_of(browser, f"{hook['id']}/")
    assert ("every 2s" in log, "whsec_" in log) == (False, False)
    assert "<code>204</code>" in log
    listed = text_of(browser, "")
    assert "&lt;b&gt;" in listed
    assert "<b>" not in listed


def test_failure_has_a_reason_and_is_sent_again(alice: Someone, browser: Browser, settings: Settings) -> None:
    with receiving(settings, lambda _request: Reply(500, b"<script>broken</script>")) as server:
        hook = create_webhook(alice, server.url)
        delivery = request_test(alice, hook)
        send_all()
        log = text_of(browser, f"{hook['id']}/?status=pending")
        assert "It answered with an error." in log
        assert f"deliveries/{delivery['id']}/" not in text_of(browser, f"{hook['id']}/?status=delivered")
        page = text_of(browser, f"{hook['id']}/deliveries/{delivery['id']}/")
        assert "&quot;type&quot;: &quot;webhook.test&quot;" in page
        assert "&lt;script&gt;broken" in page
        again = send(browser, f"{hook['id']}/deliveries/{delivery['id']}/replay/")
        assert again["Location"] == f"/webhooks/{hook['id']}/"
        send_all()
        assert len(server.requests) == 2
    assert server.requests[0].headers["webhook-id"] == server.requests[1].headers["webhook-id"]


def test_webhook_is_changed_disabled_and_deleted(alice: Someone, browser: Browser) -> None:
    hook = create_webhook(alice, URL)
    path = f"{hook['id']}/"
    send(browser, f"{path}change/", url=f"{URL}/2", description="d", events=["upsert.fail"])
    changed = get_webhook(alice, hook)
    assert (changed["url"], changed["description"], changed["events"]) == (f"{URL}/2", "d", ["upsert.fail"])
    assert send(browser, f"{path}switch/", enabled="no").status_code == 302
    assert get_webhook(alice, hook)["disabled_reason"] == "by_request"
    refused = send(browser, f"{path}test/")
    assert refused.status_code == 409
    assert "Enable it, then send the message." in refused.content.decode()
    send(browser, f"{path}switch/", enabled="yes")
    assert get_webhook(alice, hook)["enabled"]
    assert send(browser, f"{path}delete/")["Location"] == "/webhooks/"
    assert browser.page(f"/webhooks/{path}").status_code == 404


def test_rotated_secret_is_shown_once(alice: Someone, browser: Browser) -> None:
    hook = create_webhook(alice, URL)
    answer = send(browser, f"{hook['id']}/rotate/")
    assert answer.status_code == 200
    assert secret_on(answer) != hook["secret"]
    assert get_webhook(alice, hook)["old_secret_until"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"url": "http://localhost/<b>", "events": ["document.ready"]}, "Use the http or https URL of a public server"),
        ({"url": "https://93.184.216.34/<b>", "events": []}, "/events"),
        ({"url": "https://93.184.216.34/<b>", "events": ["document.exploded"]}, "/events"),
    ],
)
def test_refused_form_keeps_what_was_typed(alice: Someone, browser: Browser, form: dict[str, Any], says: str) -> None:
    hook = create_webhook(alice, URL, events=["document.ready"])
    for path in ("", f"{hook['id']}/change/"):
        answer = send(browser, path, **form)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert says in page
        assert f'value="{form["url"].replace("<b>", "&lt;b&gt;")}"' in page
        assert page.count(" checked") == (form["events"] == ["document.ready"])
    assert alice.get("/v1/webhooks/").json() == [get_webhook(alice, hook)]


def test_number_of_webhooks_is_limited(alice: Someone, browser: Browser, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_webhooks=0)
    assert send(browser, "", url=URL, events=["document.ready"]).status_code == 429


def test_webhooks_of_others_do_not_exist(alice: Someone, charlie: Someone, bob: Someone) -> None:
    hook = create_webhook(alice, URL)
    delivery = request_test(alice, hook)["id"]
    form = {"url": f"{URL}/2", "events": ["document.ready"], "enabled": "no"}
    restricted = Browser(with_key(alice.user, scopes=frozenset({"admin"}), collections=frozenset({"a"})))
    for who, status in ((Browser(charlie), 404), (Browser(bob), 403), (restricted, 403)):
        for path in ("", f"deliveries/{delivery}/"):
            assert who.page(f"/webhooks/{hook['id']}/{path}").status_code == status
        for action in ACTIONS:
            path = f"{hook['id']}/{action.format(delivery=delivery)}/"
            assert send(who, path, **form).status_code == status, path
        assert who.page("/webhooks/").status_code == (200 if status == 404 else 403)
    assert {name: get_webhook(alice, hook)[name] for name in ("url", "enabled")} == {"url": URL, "enabled": True}
    assert [row["id"] for row in list_deliveries(alice, hook)] == [delivery]


@pytest.mark.parametrize("number", ["0", "9" * 30])
def test_unknown_ids_do_not_exist(alice: Someone, browser: Browser, number: str) -> None:
    hook = create_webhook(alice, URL)
    for path in (f"/webhooks/{number}/", f"/webhooks/{hook['id']}/deliveries/{number}/"):
        assert browser.page(path).status_code == 404
    assert send(browser, f"{hook['id']}/deliveries/{number}/replay/").status_code == 404


def test_forms_need_the_token_of_their_page(alice: Someone, browser: Browser) -> None:
    hook = create_webhook(alice, URL)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    for path in ("", *(f"{hook['id']}/{action.format(delivery=1)}/" for action in ACTIONS)):
        assert send(strict, path, url=URL).status_code == 403


def test_number_of_statements_is_fixed(alice: Someone, browser: Browser) -> None:
    hook = create_webhook(alice, URL)
    for _ in range(3):
        request_test(alice, hook)
    with statements() as of_list:
        text_of(browser, "")
    with statements() as of_log:
        text_of(browser, f"{hook['id']}/")
    assert (len(of_list), len(of_log)) == (12, 15)
