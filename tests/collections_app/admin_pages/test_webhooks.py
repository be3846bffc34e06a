"""What staff see of webhooks, and what they may do about them."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import CustomUser
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
    client = Client()
    client.force_login(CustomUser.objects.create_superuser("root@example.com", password="a-password-of-the-tests"))
    return client


def seen(client: Client, path: str) -> str:
    answer = client.get(f"{ADMIN}/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def act(client: Client, model: str, action: str, *ids: int) -> Any:
    form = {"action": action, "_selected_action": ids}
    return client.post(f"{ADMIN}/{model}/", form, follow=True)


def test_webhooks_and_deliveries_are_read_and_never_edited(
    staff: Client, alice: Someone, charlie: Someone, settings: Settings
) -> None:
    with receiving(settings, lambda _: Reply(500, b"<i>no room</i>")) as server:
        hook = create_webhook(alice, server.url, description="the website")
        delivery = request_test(alice, hook)
        send_all()
        create_webhook(charlie, server.url + "/<b>hook</b>")
    for path in (f"webhookendpoint/{hook['id']}/change/", f"webhookdelivery/{delivery['id']}/change/"):
        assert "alice@example.com" in seen(staff, path)
        assert staff.post(f"{ADMIN}/{path}", {"url": "http://mine/"}).status_code == 403
    for model in ("webhookendpoint", "webhookdelivery"):
        assert "alice@example.com" in seen(staff, f"{model}/?q=alice")
        assert staff.get(f"{ADMIN}/{model}/add/").status_code == 403
    endpoints = seen(staff, "webhookendpoint/")
    assert "state-failed" in endpoints
    assert "&lt;b&gt;hook" in endpoints
    page = seen(staff, f"webhookdelivery/{delivery['id']}/change/")
    assert "&lt;i&gt;no room&lt;/i&gt;" in page
    assert delivery["message_id"] in page
    assert hook["secret"] not in page + endpoints + seen(staff, f"webhookendpoint/{hook['id']}/change/")


def test_staff_disable_webhooks(staff: Client, alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    assert "1 disabled" in act(staff, "webhookendpoint", "disable_selected", hook["id"]).content.decode()
    assert (get_webhook(alice, hook)["enabled"], get_webhook(alice, hook)["disabled_reason"]) == (False, "by_staff")
    assert "by_staff" in seen(staff, "webhookendpoint/")


def test_staff_send_messages_again(staff: Client, alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook, off = create_webhook(alice, server.url), create_webhook(alice, server.url)
        ids = [request_test(alice, one)["id"] for one in (hook, off)]
        send_all()
        alice.patch(f"{WEBHOOKS}{off['id']}/", {"enabled": False})
        told = act(staff, "webhookdelivery", "replay_selected", *ids).content.decode()
        assert "1 will be sent again" in told
        assert "disabled" in told
        send_all()
        assert len(server.requests) == 3
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_who_may_only_look_changes_nothing(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    helper = CustomUser.objects.create_user("helper@example.com", is_staff=True)
    client = Client()
    client.force_login(helper)
    assert client.get(f"{ADMIN}/webhookendpoint/").status_code == 403
    assert act(client, "webhookendpoint", "disable_selected", hook["id"]).status_code == 403
    assert get_webhook(alice, hook)["enabled"]
