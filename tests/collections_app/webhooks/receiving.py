"""Receivers of webhooks on loopback, and requests about deliveries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from pytest_django import Settings
from svix.webhooks import Webhook

from accounts.access import Caller
from accounts.ownership import acting_as_staff, acting_for
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from collections_app.webhooks import courier, endpoints
from tests.cast import Someone
from tests.embeddings.scripted import ReceivedRequest, Reply, ScriptedServer, scripted

WEBHOOKS = "/v1/webhooks/"


def accept(_request: ReceivedRequest) -> Reply:
    return Reply(204)


@contextmanager
def receiving(
    settings: Settings, reply: Callable[[ReceivedRequest], Reply | None] = accept
) -> Iterator[ScriptedServer]:
    """Run a receiver that webhooks may be sent to."""
    with scripted(reply) as server:
        allow_ports(settings, urlsplit(server.url).port or 0)
        yield server


def allow_ports(settings: Settings, *ports: int) -> None:
    """Allow receivers on these ports of loopback."""
    settings.ENV = replace(settings.ENV, webhook_allow=("127.0.0.1",), webhook_ports=frozenset(ports))


def create_webhook(who: Someone, url: str, **more: Any) -> dict[str, Any]:
    made = who.post(WEBHOOKS, {"url": url, **more})
    assert made.status_code == 201, made.content
    return dict(made.json())


def create_delivery(who: Someone) -> WebhookDelivery:
    """Create a webhook and a message for it, without an HTTP request."""
    caller = Caller.of_owner(who.id, email=who.user.email)
    with acting_for(who.id) as tx:
        made = endpoints.create(
            tx, caller, url="https://93.184.216.34/hook", description="", events=[WebhookEvent.DOCUMENT_READY]
        )
        return endpoints.send_test(tx, caller, made.pk)


def request_test(who: Someone, hook: dict[str, Any]) -> dict[str, Any]:
    written = who.post(f"{WEBHOOKS}{hook['id']}/test/", {})
    assert written.status_code == 202, written.content
    return dict(written.json())


def list_deliveries(who: Someone, hook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """Return the deliveries, newest first."""
    return list(who.get(f"{WEBHOOKS}{hook['id']}/deliveries/{query}").json())


def get_webhook(who: Someone, hook: dict[str, Any]) -> dict[str, Any]:
    return dict(who.get(f"{WEBHOOKS}{hook['id']}/").json())


def verify(request: ReceivedRequest, secret: str) -> dict[str, Any]:
    """Return the message if the verifier of ColiVara's client accepts it."""
    return dict(Webhook(secret).verify(request.body, request.headers))


def let_time_pass(**passed: float) -> None:
    """Let this much time pass, or by default enough for every wait to end."""
    moment = timezone.now() - timedelta(**(passed or {"days": 10}))
    with acting_as_staff():
        WebhookDelivery.objects.pending().update(next_try_at=moment)
        WebhookDelivery.objects.filter(lease_until__isnull=False).update(lease_until=moment)
        WebhookEndpoint.objects.update(rest_until=moment)


def send_all(*, max_slices: int = 20) -> None:
    """Run the courier until nothing is due."""
    for _ in range(max_slices):
        if not courier.run():
            return
    raise AssertionError("The courier never ran out of messages.")
