"""Operations on webhook endpoints."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.webhook_models import (
    DeliveryStatus,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from collections_app.webhooks import endpoints, keys
from collections_app.webhooks.endpoints import EndpointUpdate
from collections_app.webhooks.errors import (
    TooManyWebhooks,
    WebhookDeliveryNotFound,
    WebhookDisabled,
    WebhookNotFound,
    WebhooksOutOfReach,
    WebhookURLRefused,
)
from tests.cast import Someone
from tests.collections_app.searchable import caller_of

URL = "https://93.184.216.34/hook"


@pytest.fixture
def tx(alice: Someone) -> Iterator[OwnerTransaction]:
    """An open transaction of Alice."""
    with acting_for(alice.id) as tx:
        yield tx


def create(tx: OwnerTransaction, who: Someone) -> WebhookEndpoint:
    return endpoints.create(tx, caller_of(who), url=URL, description="", events=[WebhookEvent.DOCUMENT_READY])


def test_number_of_endpoints_is_limited(tx: OwnerTransaction, alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_webhooks=1)
    endpoint = create(tx, alice)
    with pytest.raises(TooManyWebhooks, match="may have 1"):
        create(tx, alice)
    endpoints.delete(tx, caller_of(alice), endpoint.pk)
    create(tx, alice)


def test_key_that_is_restricted_to_collections_reaches_no_endpoint(tx: OwnerTransaction, alice: Someone) -> None:
    endpoint = create(tx, alice)
    restricted = caller_of(alice, collections=frozenset({"reports"}))
    with pytest.raises(WebhooksOutOfReach):
        endpoints.find(tx, restricted, endpoint.pk)


def test_endpoint_of_another_owner_is_not_found(tx: OwnerTransaction, alice: Someone, charlie: Someone) -> None:
    endpoint = create(tx, alice)
    with acting_for(charlie.id) as other, pytest.raises(WebhookNotFound):
        endpoints.find(other, caller_of(charlie), endpoint.pk)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ftp://93.184.216.34/", "https://93.184.216.34:22/"])
def test_url_that_would_be_refused_when_sending_is_refused(tx: OwnerTransaction, alice: Someone, url: str) -> None:
    endpoint = create(tx, alice)
    with pytest.raises(WebhookURLRefused):
        endpoints.update(tx, caller_of(alice), endpoint.pk, EndpointUpdate(url=url))


def test_new_url_and_enabling_reset_the_record_of_failures(tx: OwnerTransaction, alice: Someone) -> None:
    endpoint = create(tx, alice)
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    for update in (EndpointUpdate(url=URL + "/2"), EndpointUpdate(enabled=True)):
        row.update(failures=3, failing_since=timezone.now())
        updated = endpoints.update(tx, caller_of(alice), endpoint.pk, update)
        assert (updated.failures, updated.failing_since) == (0, None)
    row.update(failures=3)
    assert endpoints.update(tx, caller_of(alice), endpoint.pk, EndpointUpdate(description="x")).failures == 3


def test_disabled_endpoint_accepts_neither_tests_nor_replays(tx: OwnerTransaction, alice: Someone) -> None:
    caller = caller_of(alice)
    endpoint = create(tx, alice)
    delivery = endpoints.send_test(tx, caller, endpoint.pk)
    disabled = endpoints.update(tx, caller, endpoint.pk, EndpointUpdate(enabled=False))
    assert (disabled.enabled, disabled.disabled_reason) == (False, DisabledReason.BY_REQUEST)
    with pytest.raises(WebhookDisabled):
        endpoints.send_test(tx, caller, endpoint.pk)
    with pytest.raises(WebhookDisabled):
        endpoints.replay(tx, caller, endpoint.pk, delivery.pk)


def test_replay_makes_a_finished_delivery_pending_again(tx: OwnerTransaction, alice: Someone) -> None:
    caller = caller_of(alice)
    endpoint = create(tx, alice)
    delivery = endpoints.send_test(tx, caller, endpoint.pk)
    rows = WebhookDelivery.objects.filter(pk=delivery.pk)
    rows.update(status=DeliveryStatus.FAILED, attempts=10, next_try_at=timezone.now() + timedelta(days=1))
    replayed = endpoints.replay(tx, caller, endpoint.pk, delivery.pk)
    assert (replayed.status, replayed.attempts, replayed.message_id) == ("pending", 0, delivery.message_id)
    assert rows.due().exists()
    with pytest.raises(WebhookDeliveryNotFound):
        endpoints.replay(tx, caller, endpoint.pk, delivery.pk + 1)


def test_compatible_endpoint_exists_once_and_keeps_its_secret(tx: OwnerTransaction, alice: Someone) -> None:
    first = endpoints.create_compatible(tx, caller_of(alice), url=URL)
    second = endpoints.create_compatible(tx, caller_of(alice), url=URL + "/2")
    assert (second.pk, second.url) == (first.pk, URL + "/2")
    assert keys.secret_of(second) == keys.secret_of(first)


def test_rotation_keeps_the_old_secret_for_the_overlap_and_recovers_a_lost_one(
    tx: OwnerTransaction, alice: Someone
) -> None:
    caller = caller_of(alice)
    endpoint = create(tx, alice)
    rotated = endpoints.rotate_secret(tx, caller, endpoint.pk, overlap=timedelta(hours=1))
    assert keys.secret_of(rotated) != keys.secret_of(endpoint)
    assert keys.signing_keys(rotated)[1:] == keys.signing_keys(endpoint)
    endpoints.disable(rotated, reason=DisabledReason.SECRET_LOST)
    assert endpoints.rotate_secret(tx, caller, endpoint.pk, overlap=timedelta()).enabled
