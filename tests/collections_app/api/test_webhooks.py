"""The endpoints of webhooks and their deliveries."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint
from tests.cast import Someone, with_key
from tests.collections_app.webhooks.receiving import (
    WEBHOOKS,
    create_webhook,
    get_webhook,
    let_time_pass,
    list_deliveries,
    receiving,
    request_test,
    send_all,
    verify,
)
from tests.embeddings.scripted import Reply

URL = "https://93.184.216.34/hook"

NOT_PUBLIC = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://intranet/",
    "http://wiki.internal/",
    "http://169.254.169.254/latest/",
    "http://[::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://2130706433/",
    "http://93.184.216.34:22/",
    "http://user:password@93.184.216.34/",
    "ftp://93.184.216.34/",
    "file:///etc/passwd",
    "nonsense",
    "http://",
    "http://a\u202eb.example/\n",
]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "required"),
    ({"url": 5}, "invalid"),
    ({"url": "https://93.184.216.34/" + "x" * 2000}, "max_length"),
    ({"url": URL, "events": []}, "min_length"),
    ({"url": URL, "events": ["document.exploded"]}, "invalid_choice"),
    ({"url": URL, "events": "document.ready"}, "not_a_list"),
    ({"url": URL, "description": "x" * 256}, "max_length"),
    ({"url": URL, "description": "a\x00b"}, "null_characters_not_allowed"),
    ({"url": URL, "secret": "whsec_mine"}, "unknown_field"),
]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_webhook_secret_is_returned_only_once(alice: Someone) -> None:
    created = create_webhook(alice, URL, description="The website", events=["upsert.fail", "document.ready"])
    secret = created.pop("secret")
    assert secret.startswith("whsec_")
    assert (created["url"], created["description"], created["enabled"]) == (URL, "The website", True)
    assert created["events"] == ["document.ready", "upsert.fail"]
    assert get_webhook(alice, created) == created
    assert alice.get(WEBHOOKS).json() == [created]
    assert create_webhook(alice, URL)["secret"] != secret
    with acting_for(alice.id):
        assert secret not in str(list(WebhookEndpoint.objects.values()))


def test_default_events_are_all_document_events(alice: Someone) -> None:
    created = create_webhook(alice, URL)
    assert created["events"] == ["document.ready", "document.failed", "document.cancelled"]


def test_webhook_is_changed_and_deleted(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    path = f"{WEBHOOKS}{hook['id']}/"
    changed = alice.patch(path, {"url": URL + "/2", "events": ["upsert.fail"], "description": "x", "enabled": None})
    assert changed.status_code == 200
    now = changed.json()
    assert (now["url"], now["events"], now["description"]) == (URL + "/2", ["upsert.fail"], "x")
    request_test(alice, hook)
    assert alice.delete(path).status_code == 204
    assert code(alice.get(path)) == (404, "webhook_not_found")
    with acting_for(alice.id):
        assert not WebhookDelivery.objects.exists()


def test_url_of_a_private_server_is_rejected(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    for url in NOT_PUBLIC:
        answer = alice.post(WEBHOOKS, {"url": url})
        assert code(answer) == (422, "webhook_url_refused"), url
        assert answer.json()["errors"][0]["pointer"] == "/url"
    changed = alice.patch(f"{WEBHOOKS}{hook['id']}/", {"url": NOT_PUBLIC[0]})
    compatible = alice.post("/v1/webhook/", {"url": NOT_PUBLIC[0]})
    assert code(changed) == code(compatible) == (422, "webhook_url_refused")
    assert alice.get(WEBHOOKS).json()[0]["url"] == URL
    assert len(alice.get(WEBHOOKS).json()) == 1


def test_invalid_body_is_rejected(alice: Someone) -> None:
    for body, wrong in WRONG:
        answer = alice.post(WEBHOOKS, body)
        assert answer.status_code == 422
        assert wrong in {item["code"] for item in answer.json()["errors"]}, body


def test_empty_update_is_rejected(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    for body in ({}, {"url": None}):
        assert code(alice.patch(f"{WEBHOOKS}{hook['id']}/", body)) == (422, "nothing_to_change")


def test_webhooks_per_account_are_limited(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_webhooks=2)
    create_webhook(alice, URL)
    create_webhook(alice, URL)
    assert code(alice.post(WEBHOOKS, {"url": URL})) == (429, "too_many_webhooks")
    assert code(alice.post("/v1/webhook/", {"url": URL})) == (429, "too_many_webhooks")


def test_restricted_key_cannot_manage_webhooks(alice: Someone) -> None:
    hook = create_webhook(alice, URL)
    limited = with_key(alice.user, collections=frozenset({"reports"}))
    path = f"{WEBHOOKS}{hook['id']}/"
    answers = [
        limited.get(WEBHOOKS),
        limited.post(WEBHOOKS, {"url": URL}),
        limited.get(path),
        limited.patch(path, {"enabled": False}),
        limited.post("/v1/webhook/", {"url": URL}),
        limited.get(f"{path}deliveries/"),
        limited.delete(path),
    ]
    assert {code(answer) for answer in answers} == {(403, "webhooks_out_of_reach")}


def test_both_secrets_sign_during_the_overlap(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        rotated = alice.post(f"{WEBHOOKS}{hook['id']}/rotate-secret/", {}).json()
        assert rotated["secret"] != hook["secret"]
        until = datetime.fromisoformat(rotated["old_secret_until"]) - timezone.now()
        assert timedelta(hours=23) < until <= timedelta(hours=24)
        request_test(alice, hook)
        send_all()
        for secret in (hook["secret"], rotated["secret"]):
            assert verify(server.requests[0], secret)["type"] == "webhook.test"
        with acting_for(alice.id):
            WebhookEndpoint.objects.update(old_until=timezone.now())
        request_test(alice, hook)
        send_all()
        assert verify(server.requests[1], rotated["secret"])
        assert server.requests[1].headers["webhook-signature"].count("v1,") == 1


def test_leaked_secret_can_be_rotated_without_overlap(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        rotated = alice.post(f"{WEBHOOKS}{hook['id']}/rotate-secret/", {"overlap_hours": 0}).json()
        assert rotated["old_secret_until"] is None
        request_test(alice, hook)
        send_all()
    assert server.requests[0].headers["webhook-signature"].count("v1,") == 1
    assert verify(server.requests[0], rotated["secret"])


def test_colivara_webhook_is_unique_per_account_and_keeps_its_secret(alice: Someone) -> None:
    first = alice.post("/v1/webhook/", {"url": URL})
    assert first.status_code == 200
    assert set(first.json()) == {"app_id", "endpoint_id", "webhook_secret"}
    hook = {"id": int(first.json()["endpoint_id"])}
    assert get_webhook(alice, hook)["events"] == ["upsert.success", "upsert.fail"]
    alice.patch(f"{WEBHOOKS}{hook['id']}/", {"enabled": False})
    again = alice.post("/v1/webhook/", {"url": URL + "/2", "unknown": 1})
    assert again.json() == first.json()
    assert (get_webhook(alice, hook)["url"], get_webhook(alice, hook)["enabled"]) == (URL + "/2", True)
    assert len(alice.get(WEBHOOKS).json()) == 1


def test_deliveries_show_the_result_of_each_message(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(500, b"no room \x00 today")) as server:
        hook = create_webhook(alice, server.url)
        written = request_test(alice, hook)
        assert (written["status"], written["attempts"], written["event"]) == ("pending", 0, "webhook.test")
        send_all()
    (row,) = list_deliveries(alice, hook)
    assert (row["id"], row["message_id"]) == (written["id"], written["message_id"])
    assert (row["status"], row["attempts"], row["error"]) == ("pending", 1, "rejected")
    assert (row["response_status"], row["response_body"]) == (500, "no room   today")
    assert row["next_try_at"] > row["attempted_at"]
    assert server.requests[0].headers["webhook-id"] == row["message_id"]
    assert get_webhook(alice, hook)["failing_since"]


def test_deliveries_are_paginated_newest_first_and_filtered_by_status(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        ids = [request_test(alice, hook)["id"] for _ in range(3)]
        send_all()
    ids.append(request_test(alice, hook)["id"])
    path = f"{WEBHOOKS}{hook['id']}/deliveries/"
    first = alice.get(f"{path}?limit=3")
    assert [row["id"] for row in first.json()] == ids[:0:-1]
    rest = alice.get(first["Link"].split(">")[0].removeprefix("<http://testserver"))
    assert [row["id"] for row in rest.json()] == ids[:1]
    assert [row["id"] for row in list_deliveries(alice, hook, "?status=pending")] == ids[3:]
    assert [row["id"] for row in list_deliveries(alice, hook, "?status=delivered")] == ids[2::-1]
    assert list_deliveries(alice, hook, "?status=failed") == []
    for unknown in ("lost", ""):
        assert code(alice.get(f"{path}?status={unknown}")) == (422, "webhook_status_invalid")


def test_replayed_message_keeps_its_id(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        written = request_test(alice, hook)
        send_all()
        path = f"{WEBHOOKS}{hook['id']}/deliveries/"
        again = alice.post(f"{path}{written['id']}/replay/", {})
        assert (again.status_code, again.json()["status"], again.json()["attempts"]) == (202, "pending", 0)
        send_all()
        assert code(alice.post(f"{path}{written['id'] + 1000}/replay/", {})) == (404, "webhook_delivery_not_found")
    assert len({item.headers["webhook-id"] for item in server.requests}) == 1
    assert len(server.requests) == 2
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_replaying_a_pending_message_sends_it_at_once(alice: Someone, settings: Settings) -> None:
    answers = [Reply(500), Reply(200)]
    with receiving(settings, lambda _: answers.pop(0)) as server:
        hook = create_webhook(alice, server.url)
        written = request_test(alice, hook)
        send_all()
        assert list_deliveries(alice, hook)[0]["status"] == "pending"
        alice.post(f"{WEBHOOKS}{hook['id']}/deliveries/{written['id']}/replay/", {})
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"
    assert get_webhook(alice, hook)["failing_since"] is None


def test_disabled_webhook_gets_nothing_and_pending_messages_wait(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        written = request_test(alice, hook)
        path = f"{WEBHOOKS}{hook['id']}/"
        disabled = alice.patch(path, {"enabled": False}).json()
        assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "by_request")
        assert disabled["disabled_at"]
        let_time_pass()
        send_all()
        assert server.requests == []
        for refused in (f"{path}test/", f"{path}deliveries/{written['id']}/replay/"):
            assert code(alice.post(refused, {})) == (409, "webhook_disabled")
        enabled = alice.patch(path, {"enabled": True}).json()
        assert (enabled["enabled"], enabled["disabled_reason"], enabled["disabled_at"]) == (True, None, None)
        send_all()
        assert [item.headers["webhook-id"] for item in server.requests] == [written["message_id"]]
