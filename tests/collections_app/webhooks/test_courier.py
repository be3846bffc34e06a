"""Messages arrive at least once, in turn, and in the end; who does not take them is left in peace."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app import failpoints
from collections_app.engine import process_name
from collections_app.engine.outbound.post import PostResult
from collections_app.failpoints import Fault
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import courier, deliveries
from collections_app.webhooks.deliveries import MAX_ATTEMPTS, PAUSES, Claim
from tests.cast import Someone, someone
from tests.collections_app.engine.outbound.test_post import silent
from tests.collections_app.engine.outbound.web_servers import listening, status, trap
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
    verify,
)
from tests.embeddings.scripted import ReceivedRequest, Reply

DEADLINE_S = 20
AWAY = "http://127.0.0.1:1/"


def failing(settings: Settings, point: str) -> None:
    failpoints.reset()
    settings.ENV = replace(settings.ENV, failpoint=point and f"{point}=raise")


def claimed() -> Claim:
    found = deliveries.claim()
    assert found
    return found


def ids(asked: list[ReceivedRequest]) -> list[str]:
    return [one.headers["webhook-id"] for one in asked]


def test_what_fails_is_tried_again_as_the_standard_proposes_and_then_given_up(
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
        (row_told,) = list_deliveries(alice, hook)
        assert (row_told["status"], row_told["attempts"], row_told["next_try_at"]) == ("failed", MAX_ATTEMPTS, None)
        let_time_pass()
        send_all()
    assert len(server.requests) == MAX_ATTEMPTS == 10
    assert len(set(ids(server.requests))) == 1


def test_what_has_not_arrived_is_counted(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        for pending in (1.0, 2.0):
            request_test(alice, hook)
            assert f"paliapi_webhooks_pending {pending}" in Client().get("/metrics").content.decode()
        send_all()
    assert "paliapi_webhooks_pending 0.0" in Client().get("/metrics").content.decode()


def test_one_who_says_when_to_come_back_is_heard(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(503, headers={"Retry-After": "600"})) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
    with acting_for(alice.id):
        row = WebhookDelivery.objects.get()
    assert row.next_try_at - timezone.now() > timedelta(seconds=500)


def test_each_attempt_is_signed_anew(alice: Someone, settings: Settings) -> None:
    answers = [Reply(500), Reply(200)]
    with receiving(settings, lambda _: answers.pop(0)) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
        let_time_pass()
        send_all()
    first, second = server.requests
    assert first.body == second.body
    for one in server.requests:
        assert verify(one, hook["secret"])["type"] == "webhook.test"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_that_leads_to_a_private_address_by_now_is_not_called(
    alice: Someone, settings: Settings, host: str
) -> None:
    with trap() as listener:
        allow_ports(settings, listener.port)
        hook = create_webhook(alice, f"http://127.0.0.1:{listener.port}/")
        request_test(alice, hook)
        with acting_for(alice.id):
            WebhookEndpoint.objects.update(url=f"http://{host}:{listener.port}/")
        settings.ENV = replace(settings.ENV, webhook_allow=())
        send_all()
        assert listener.calls() == 0
    assert list_deliveries(alice, hook)[0]["error"] == "refused"


@pytest.mark.parametrize("point", ["webhook_claimed", "webhook_answered"])
def test_a_courier_that_dies_costs_at_most_a_second_copy_with_the_same_id(
    alice: Someone, settings: Settings, point: str
) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        written = request_test(alice, hook)
        failing(settings, point)
        with pytest.raises(Fault):
            courier.run()
        failing(settings, "")
        send_all()
        assert list_deliveries(alice, hook)[0]["status"] == "pending", "its lease has not run out"
        let_time_pass()
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"
    assert set(ids(server.requests)) == {written["message_id"]}
    assert len(server.requests) == (2 if point == "webhook_answered" else 1)


def test_what_a_killed_courier_of_this_machine_held_is_free_at_once(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        claimed()
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            ended.wait()
        with acting_for(alice.id):
            WebhookDelivery.objects.update(lease_holder=process_name.name_of(ended.pid))
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_who_kills_every_courier_is_given_up(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        failing(settings, "webhook_claimed:1")
        for _ in range(MAX_ATTEMPTS):
            failpoints.reset()
            with pytest.raises(Fault):
                courier.run()
            let_time_pass()
        failing(settings, "")
        send_all()
        assert server.requests == []
    assert list_deliveries(alice, hook)[0]["status"] == "failed"


def test_one_who_was_taken_for_dead_records_nothing(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        old = claimed()
        let_time_pass()
        new = claimed()
        deliveries.record(old, PostResult(failure="rejected", status=500))
        assert get_webhook(alice, hook)["failing_since"] is None
        deliveries.record(new, PostResult(status=200))
        deliveries.record(old, PostResult(failure="rejected", status=500))
    assert (list_deliveries(alice, hook)[0]["status"], list_deliveries(alice, hook)[0]["attempts"]) == ("delivered", 2)


def test_what_is_deleted_while_it_is_sent_is_let_go(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    hook = create_webhook(alice, AWAY)
    request_test(alice, hook)
    claim = claimed()
    alice.delete(f"{WEBHOOKS}{hook['id']}/")
    deliveries.record(claim, PostResult(status=200))
    assert alice.get(WEBHOOKS).json() == []


def test_an_endpoint_gets_one_message_at_a_time(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    first, second = create_webhook(alice, AWAY), create_webhook(alice, AWAY)
    for hook in (first, first, second):
        request_test(alice, hook)
    assert {claimed().endpoint.pk for _ in range(2)} == {first["id"], second["id"]}
    assert deliveries.claim() is None


def test_owners_take_turns_and_nobody_takes_all_the_couriers(
    alice: Someone, charlie: Someone, settings: Settings
) -> None:
    allow_ports(settings, 1)
    mine = [create_webhook(alice, AWAY) for _ in range(6)]
    for hook in (*mine, *mine):
        request_test(alice, hook)
    request_test(charlie, create_webhook(charlie, AWAY))
    owners = []
    while claim := deliveries.claim():
        owners.append(claim.delivery.owner_id)
    assert owners == [alice.id, charlie.id, alice.id, alice.id, alice.id]


def test_one_who_is_slow_keeps_nobody_waiting(alice: Someone, charlie: Someone, settings: Settings) -> None:
    arrived = threading.Event()

    def reply(_asked: ReceivedRequest) -> Reply:
        arrived.set()
        return Reply(204)

    def slow(connection: Any, over: threading.Event) -> None:
        arrived.wait(DEADLINE_S)  # answers only once the other has its message
        connection.sendall(status(204))

    with listening({"/": slow}) as tortoise, receiving(settings, reply) as hare:
        port = int(hare.url.rpartition(":")[2])
        allow_ports(settings, port, tortoise.port)
        waited_for = create_webhook(alice, f"http://127.0.0.1:{tortoise.port}/")
        request_test(alice, waited_for)
        quick = create_webhook(charlie, hare.url)
        request_test(charlie, quick)
        send_all()
    assert (
        list_deliveries(alice, waited_for)[0]["status"] == list_deliveries(charlie, quick)[0]["status"] == "delivered"
    )


def test_one_who_never_answers_is_given_up_in_time(alice: Someone, settings: Settings) -> None:
    with listening({"/": silent}) as server:
        allow_ports(settings, server.port)
        settings.ENV = replace(settings.ENV, webhook_timeout_s=1)
        hook = create_webhook(alice, f"http://127.0.0.1:{server.port}/")
        request_test(alice, hook)
        send_all()
    assert (list_deliveries(alice, hook)[0]["error"], list_deliveries(alice, hook)[0]["response_status"]) == (
        "unreachable",
        None,
    )


def test_who_fails_rests_longer_each_time_with_all_that_waits_for_it(alice: Someone, settings: Settings) -> None:
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


def test_who_fails_for_days_is_disabled_and_can_be_enabled_again(alice: Someone, settings: Settings) -> None:
    answers = [500, 500, 200]
    with receiving(settings, lambda _: Reply(answers.pop(0))) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
        assert get_webhook(alice, hook)["enabled"]
        with acting_for(alice.id):
            WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
        let_time_pass()
        send_all()
        now = get_webhook(alice, hook)
        assert (now["enabled"], now["disabled_reason"]) == (False, "failing")
        enabled = alice.patch(f"{WEBHOOKS}{hook['id']}/", {"enabled": True}).json()
        assert (enabled["enabled"], enabled["failing_since"]) == (True, None)
        let_time_pass()
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"


def test_who_says_gone_is_disabled_at_once(alice: Someone, settings: Settings) -> None:
    with receiving(settings, lambda _: Reply(410)) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
    assert (get_webhook(alice, hook)["enabled"], get_webhook(alice, hook)["disabled_reason"]) == (False, "gone")


def test_without_the_pepper_of_its_secret_an_endpoint_is_disabled_until_it_gets_another(
    alice: Someone, settings: Settings
) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        with acting_for(alice.id):
            WebhookEndpoint.objects.update(pepper_id=9)
        send_all()
        assert get_webhook(alice, hook)["disabled_reason"] == "secret_lost"
        assert list_deliveries(alice, hook)[0]["attempts"] == 0
        rotated = alice.post(f"{WEBHOOKS}{hook['id']}/rotate-secret/", {}).json()
        send_all()
        assert verify(server.requests[0], rotated["secret"])


@pytest.fixture
def real_owner(transactional_db: None) -> Someone:
    """Somebody whose rows other threads see."""
    return someone("owner@example.com")


def test_of_couriers_at_once_each_message_is_sent_by_one(real_owner: Someone, settings: Settings) -> None:
    start = threading.Barrier(3, timeout=DEADLINE_S)

    def run() -> None:
        try:
            start.wait()
            send_all()
        finally:
            connection.close()

    with receiving(settings) as server:
        hooks = [create_webhook(real_owner, server.url) for _ in range(3)]
        for hook in hooks * 3:
            request_test(real_owner, hook)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: run(), range(3)))
        send_all()
        assert len(ids(server.requests)) == len(set(ids(server.requests))) == 9
    for hook in hooks:
        assert {row["status"] for row in list_deliveries(real_owner, hook)} == {"delivered"}


def test_old_deliveries_are_forgotten(alice: Someone, settings: Settings) -> None:
    allow_ports(settings, 1)
    hook = create_webhook(alice, AWAY)
    for _ in range(2):
        request_test(alice, hook)
    with acting_for(alice.id):
        oldest = WebhookDelivery.objects.order_by("pk")[0]
        WebhookDelivery.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert deliveries.delete_old() == 1
    assert len(list_deliveries(alice, hook)) == 1
    with acting_as_staff():
        assert WebhookEndpoint.objects.count() == 1
