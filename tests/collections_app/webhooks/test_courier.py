"""The courier sends every message at least once, signed, and no receiver holds up the others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app import failpoints
from collections_app.failpoints import Fault
from collections_app.webhook_models import WebhookEndpoint
from collections_app.webhooks import courier
from collections_app.webhooks.deliveries import MAX_ATTEMPTS
from tests.cast import Someone, someone
from tests.collections_app.engine.outbound.test_post import silent
from tests.collections_app.engine.outbound.web_servers import listening, status, trap
from tests.collections_app.ingestion import set_failpoint
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


def message_ids(requests: list[ReceivedRequest]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def test_every_attempt_is_signed(alice: Someone, settings: Settings) -> None:
    replies = [Reply(500), Reply(200)]
    with receiving(settings, lambda _: replies.pop(0)) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        send_all()
        let_time_pass()
        send_all()
    first, second = server.requests
    assert first.body == second.body
    for request in server.requests:
        assert verify(request, hook["secret"])["type"] == "webhook.test"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_host_that_now_resolves_to_a_private_address_is_not_contacted(
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
def test_courier_that_dies_causes_at_most_one_copy_with_the_same_id(
    alice: Someone, settings: Settings, point: str
) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        delivery = request_test(alice, hook)
        set_failpoint(settings, point)
        with pytest.raises(Fault):
            courier.run()
        set_failpoint(settings, "")
        send_all()
        assert list_deliveries(alice, hook)[0]["status"] == "pending", "its lease has not expired"
        let_time_pass()
        send_all()
    assert list_deliveries(alice, hook)[0]["status"] == "delivered"
    assert set(message_ids(server.requests)) == {delivery["message_id"]}
    assert len(server.requests) == (2 if point == "webhook_answered" else 1)


def test_message_that_kills_every_courier_fails(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        request_test(alice, hook)
        set_failpoint(settings, "webhook_claimed:1")
        for _ in range(MAX_ATTEMPTS):
            failpoints.reset()
            with pytest.raises(Fault):
                courier.run()
            let_time_pass()
        set_failpoint(settings, "")
        send_all()
        assert server.requests == []
    assert list_deliveries(alice, hook)[0]["status"] == "failed"


def test_slow_receiver_does_not_delay_the_messages_of_others(
    alice: Someone, charlie: Someone, settings: Settings
) -> None:
    fast_received = threading.Event()

    def fast(_request: ReceivedRequest) -> Reply:
        fast_received.set()
        return Reply(204)

    def slow(connection: Any, over: threading.Event) -> None:
        fast_received.wait(DEADLINE_S)  # responds only once the other has its message
        connection.sendall(status(204))

    with listening({"/": slow}) as slow_server, receiving(settings, fast) as fast_server:
        port = int(fast_server.url.rpartition(":")[2])
        allow_ports(settings, port, slow_server.port)
        slow_hook = create_webhook(alice, f"http://127.0.0.1:{slow_server.port}/")
        request_test(alice, slow_hook)
        fast_hook = create_webhook(charlie, fast_server.url)
        request_test(charlie, fast_hook)
        send_all()
    assert list_deliveries(alice, slow_hook)[0]["status"] == "delivered"
    assert list_deliveries(charlie, fast_hook)[0]["status"] == "delivered"


def test_receiver_that_never_responds_is_abandoned_in_time(alice: Someone, settings: Settings) -> None:
    with listening({"/": silent}) as server:
        allow_ports(settings, server.port)
        settings.ENV = replace(settings.ENV, webhook_timeout_s=1)
        hook = create_webhook(alice, f"http://127.0.0.1:{server.port}/")
        request_test(alice, hook)
        send_all()
    (delivery,) = list_deliveries(alice, hook)
    assert (delivery["error"], delivery["response_status"]) == ("unreachable", None)


def test_endpoint_without_the_pepper_of_its_secret_is_disabled_until_the_secret_is_rotated(
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
    """An owner whose rows are committed, so that other threads see them."""
    return someone("owner@example.com")


def test_concurrent_couriers_send_each_message_once(real_owner: Someone, settings: Settings) -> None:
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
        ids = message_ids(server.requests)
        assert len(ids) == len(set(ids)) == 9
    for hook in hooks:
        assert {delivery["status"] for delivery in list_deliveries(real_owner, hook)} == {"delivered"}
