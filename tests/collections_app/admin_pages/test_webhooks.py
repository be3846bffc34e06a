"""The admin pages of webhooks and deliveries."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.admin_client import admin_client, staff_without_rights
from tests.cast import Someone
from tests.collections_app.webhooks.receiving import (
    WEBHOOKS,
    create_webhook,
    get_webhook,
    list_deliveries,
    receiving,
    request_test,
    send_all,
)
from tests.embeddings.scripted import Reply

URL = "https://93.184.216.34/<b>hook</b>"
ADMIN = "/admin/collections_app"


@pytest.fixture
def staff(db: None) -> Client:
    return admin_client()


def html_of(client: Client, path: str) -> str:
    response = client.get(f"{ADMIN}/{path}")
    assert response.status_code == 200, path
    return response.content.decode()


def act(client: Client, model: str, action: str, *ids: int) -> Any:
    form = {"action": action, "_selected_action": ids}
    return client.post(f"{ADMIN}/{model}/", form, follow=True)


def test_webhooks_and_deliveries_are_shown_but_not_editable(
    staff: Client, alice: Someone, charlie: Someone, settings: Settings
) -> None:
    with receiving(settings, lambda _: Reply(500, b"<i>no space</i>")) as server:
        hook = create_webhook(alice, server.url, description="the website")
        delivery = request_test(alice, hook)
        send_all()
        create_webhook(charlie, server.url + "/<b>hook</b>")
    for path in (f"webhookendpoint/{hook['id']}/change/", f"webhookdelivery/{delivery['id']}/change/"):
        assert "alice@example.com" in html_of(staff, path)
        assert staff.post(f"{ADMIN}/{path}", {"url": "http://example.com/"}).status_code == 403
    for model in ("webhookendpoint", "webhookdelivery"):
        assert "alice@example.com" in html_of(staff, f"{model}/?q=alice")
        assert staff.get(f"{ADMIN}/{model}/add/").status_code == 403
    endpoints = html_of(staff, "webhookendpoint/")
    assert "state-failed" in endpoints
    assert "&lt;b&gt;hook" in endpoints
    page = html_of(staff, f"webhookdelivery/{delivery['id']}/change/")
    assert "&lt;i&gt;no space&lt;/i&gt;" in page
    assert delivery["message_id"] in page
    assert hook["secret"] not in page + endpoints + html_of(staff, f"webhookendpoint/{hook['id']}/change/")


def test_staff_can_disable_webhooks(staff: Client, alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    assert "Webhooks disabled: 1." in act(staff, "webhookendpoint", "disable_selected", hook["id"]).content.decode()
    assert (get_webhook(alice, hook)["enabled"], get_webhook(alice, hook)["disabled_reason"]) == (False, "by_staff")
    assert "by_staff" in html_of(staff, "webhookendpoint/")


def test_staff_can_resend_messages(staff: Client, alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook, disabled = create_webhook(alice, server.url), create_webhook(alice, server.url)
        ids = [request_test(alice, one)["id"] for one in (hook, disabled)]
        send_all()
        alice.patch(f"{WEBHOOKS}{disabled['id']}/", {"enabled": False})
        html = act(staff, "webhookdelivery", "replay_selected", *ids).content.decode()
        assert "Messages to be resent: 1." in html
        assert "its webhook is disabled" in html
        send_all()
        assert len(server.requests) == 3
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_staff_without_permission_cannot_disable_webhooks(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    client = admin_client(staff_without_rights())
    assert client.get(f"{ADMIN}/webhookendpoint/").status_code == 403
    assert act(client, "webhookendpoint", "disable_selected", hook["id"]).status_code == 403
    assert get_webhook(alice, hook)["enabled"]
