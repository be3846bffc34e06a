"""Receivers of webhooks on loopback, and what tests ask of the log."""

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
from collections_app.webhook_models import Event, WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import courier, endpoints
from tests.cast import Someone
from tests.embeddings.scripted import ReceivedRequest, Reply, ScriptedServer, scripted

WEBHOOKS = "/v1/webhooks/"


def taken(_asked: ReceivedRequest) -> Reply:
    return Reply(204)


@contextmanager
def receiving(settings: Settings, reply: Callable[[ReceivedRequest], Reply | None] = taken) -> Iterator[ScriptedServer]:
    """A receiver that webhooks may be sent to."""
    with scripted(reply) as server:
        allow(settings, urlsplit(server.url).port or 0)
        yield server


def allow(settings: Settings, *ports: int) -> None:
    """Receivers on these ports of loopback."""
    settings.ENV = replace(settings.ENV, webhook_allow=("127.0.0.1",), webhook_ports=frozenset(ports))


def register(who: Someone, url: str, **more: Any) -> dict[str, Any]:
    made = who.post(WEBHOOKS, {"url": url, **more})
    assert made.status_code == 201, made.content
    return dict(made.json())


def kept_for(who: Someone) -> WebhookDelivery:
    """A webhook with a message for it, without going through the door."""
    caller = Caller.of_owner(who.id, email=who.user.email)
    with acting_for(who.id) as tx:
        made = endpoints.create(
            tx, caller, url="https://93.184.216.34/hook", description="", events=[Event.DOCUMENT_READY]
        )
        return endpoints.send_test(tx, caller, made.pk)


def ask_for_a_test(who: Someone, hook: dict[str, Any]) -> dict[str, Any]:
    written = who.post(f"{WEBHOOKS}{hook['id']}/test/", {})
    assert written.status_code == 202, written.content
    return dict(written.json())


def log(who: Someone, hook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """Newest first."""
    return list(who.get(f"{WEBHOOKS}{hook['id']}/deliveries/{query}").json())


def state(who: Someone, hook: dict[str, Any]) -> dict[str, Any]:
    return dict(who.get(f"{WEBHOOKS}{hook['id']}/").json())


def verified(asked: ReceivedRequest, secret: str) -> dict[str, Any]:
    """The message, if the verifier that ColiVara's client uses accepts it."""
    return dict(Webhook(secret).verify(asked.body, asked.headers))


def later(**passed: float) -> None:
    """Let time pass: as much as is said, or enough for whatever waits."""
    moment = timezone.now() - timedelta(**(passed or {"days": 10}))
    with acting_as_staff():
        WebhookDelivery.objects.pending().update(next_try_at=moment)
        WebhookDelivery.objects.filter(lease_until__isnull=False).update(lease_until=moment)
        WebhookEndpoint.objects.update(rest_until=moment)


def send(*, turns: int = 20) -> None:
    """As the courier does, until nothing is due."""
    for _ in range(turns):
        if not courier.run():
            return
    raise AssertionError("There is always more to send.")
