"""Claims on messages, retries, and the health of endpoints."""

import subprocess
import sys
from datetime import timedelta

from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine import process_name
from collections_app.engine.outbound.post import PostResult
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import deliveries
from collections_app.webhooks.deliveries import MAX_ATTEMPTS, PAUSES, Claim
from tests.cast import Someone, activate
from tests.collections_app.webhooks.receiving import (
    WEBHOOKS,
    allow_ports,
    create_webhook,
    get_webhook,
    let_time_pass,
    list_deliveries,
    receiving,
    request_test,
    send_all,
)
from tests.embeddings.scripted import Reply

UNREACHABLE = "http://127.0.0.1:1/"


def claim() -> Claim:
    claimed = deliveries.claim()
    assert claimed
    return claimed


def test_failed_message_is_retried_on_the_recommended_schedule_and_then_fails(
    alice: Someone, settings: Settings
) -> None:
    with receiving(settings, lambda _: Reply(500)) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        for pause in PAUSES:
            let_time_pass(seconds=0)
            send_all()
            with acting_for(alice.id):
                row = WebhookDelivery.objects.get()
            assert row.attempted_at
            assert pause * 0.85 < row.next_try_at - row.attempted_at < pause * 1.15 + timedelta(seconds=20)
        let_time_pass()
        send_all()
        (delivery,) = list_deliveries(alice, hook)
        assert (delivery["status"], delivery["attempts"]) == ("failed", MAX_ATTEMPTS)
        assert delivery["next_try_at"] is None
        let_time_pass()
        send_all()
    assert len(server.requests) == MAX_ATTEMPTS == 10
    assert len({request.headers["webhook-id"] for request in server.requests}) == 1


def test_retry_after_of_the_receiver_is_respected(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(503, headers={"Retry-After": "600"})) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
    with acting_for(alice.id):
        row = WebhookDelivery.objects.get()
    assert row.next_try_at - timezone.now() > timedelta(seconds=500)


def test_lease_of_a_killed_process_of_this_machine_ends_at_once(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        claim()
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            ended.wait()
        with acting_for(alice.id):
            WebhookDelivery.objects.update(lease_holder=process_name.name_of(ended.pid))
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_process_that_lost_its_lease_records_nothing(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        old = claim()
        let_time_pass()
        new = claim()
        deliveries.record(old, PostResult(failure="rejected", status=500))
        assert get_webhook(alice, hook)["failing_since"] is None
        deliveries.record(new, PostResult(status=200))
        deliveries.record(old, PostResult(failure="rejected", status=500))
    (delivery,) = list_deliveries(alice, hook)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 2)


def test_endpoint_deleted_during_an_attempt_is_ignored(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    hook = create_webhook(alice, UNREACHABLE)
    request_test(alice, hook)
    claimed = claim()
    alice.delete(f"{WEBHOOKS}{hook['id']}/")
    deliveries.record(claimed, PostResult(status=200))
    assert alice.get(WEBHOOKS).json() == []


def test_endpoint_gets_one_message_at_a_time(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    first, second = create_webhook(alice, UNREACHABLE), create_webhook(alice, UNREACHABLE)
    for hook in (first, first, second):
        request_test(alice, hook)
    assert {claim().endpoint.pk for _ in range(2)} == {first["id"], second["id"]}
    assert deliveries.claim() is None
    assert not deliveries.any_due()


def test_owners_take_turns_and_have_a_limited_number_in_flight(
    alice: Someone, charlie: Someone, settings: Settings
) -> None:
    allow_ports(settings, 1)
    hooks = [create_webhook(alice, UNREACHABLE) for _ in range(6)]
    for hook in (*hooks, *hooks):
        request_test(alice, hook)
    request_test(charlie, create_webhook(charlie, UNREACHABLE))
    owners = []
    while claimed := deliveries.claim():
        owners.append(claimed.delivery.owner_id)
    assert owners == [alice.id, charlie.id, alice.id, alice.id, alice.id]


def test_failing_endpoint_rests_longer_each_time(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(500)) as server:
        hook = create_webhook(alice, server.url)
        for _ in range(3):
            request_test(alice, hook)
        rests = []
        for _ in range(3):
            send_all()
            with acting_for(alice.id):
                row = WebhookEndpoint.objects.get()
                rests.append((row.rest_until - timezone.now()).total_seconds())
                WebhookEndpoint.objects.update(rest_until=timezone.now())
    assert len(server.requests) == 3, "one each time"
    assert rests[0] < rests[1] < rests[2]


def test_endpoint_that_fails_for_days_is_disabled_and_can_be_enabled_again(alice: Someone, settings: Settings) -> None:
    statuses = [500, 500, 200]
    with receiving(settings, lambda _: Reply(statuses.pop(0))) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
        assert get_webhook(alice, hook)["enabled"]
        with acting_for(alice.id):
            WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
        let_time_pass()
        send_all()
        disabled = get_webhook(alice, hook)
        assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "failing")
        enabled = alice.patch(f"{WEBHOOKS}{hook['id']}/", {"enabled": True}).json()
        assert (enabled["enabled"], enabled["failing_since"]) == (True, None)
        let_time_pass()
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_endpoint_that_is_gone_is_disabled_at_once(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(410)) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
    webhook = get_webhook(alice, hook)
    assert (webhook["enabled"], webhook["disabled_reason"]) == (False, "gone")


def test_messages_of_a_deactivated_owner_wait_until_it_is_active_again(
    alice: Someone, charlie: Someone, settings: Settings
) -> None:
    with receiving(settings) as server:
        hook, other_hook = create_webhook(alice, server.url), create_webhook(charlie, server.url)
        request_test(alice, hook)
        activate(alice, is_active=False)
        assert not deliveries.any_due()
        request_test(charlie, other_hook)
        send_all()
        assert len(server.requests) == 1
        activate(alice, is_active=True)
        (waiting,) = list_deliveries(alice, hook)
        assert (waiting["status"], waiting["attempts"]) == ("pending", 0)
        send_all()
    assert len(server.requests) == 2
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_old_deliveries_are_deleted(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    hook = create_webhook(alice, UNREACHABLE)
    for _ in range(2):
        request_test(alice, hook)
    with acting_for(alice.id):
        oldest = WebhookDelivery.objects.order_by("pk")[0]
        WebhookDelivery.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert deliveries.delete_old() == 1
    assert len(list_deliveries(alice, hook)) == 1
    with acting_as_staff():
        assert WebhookEndpoint.objects.count() == 1
