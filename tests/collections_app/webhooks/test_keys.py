"""Keys are derived from a configured pepper and a salt in the row."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from collections_app.webhook_models import WebhookEndpoint
from collections_app.webhooks import keys

PEPPERS = ((1, "first pepper of at least 32 characters"), (2, "second pepper of at least 32 characters"))


def test_secret_uses_the_newest_pepper_and_survives_its_rotation(settings: Settings) -> None:
    endpoint = WebhookEndpoint()
    settings.ENV = replace(settings.ENV, api_key_peppers=PEPPERS[:1])
    keys.renew_secret(endpoint)
    secret = keys.secret_of(endpoint)
    settings.ENV = replace(settings.ENV, api_key_peppers=PEPPERS)
    assert keys.secret_of(endpoint) == secret
    keys.renew_secret(endpoint)
    assert (endpoint.pepper_id, endpoint.old_salt) == (2, None)
    assert keys.secret_of(endpoint) != secret


def test_old_key_signs_until_the_overlap_ends(settings: Settings) -> None:
    endpoint = WebhookEndpoint()
    settings.ENV = replace(settings.ENV, api_key_peppers=PEPPERS)
    keys.renew_secret(endpoint)
    (old,) = keys.signing_keys(endpoint)
    keys.renew_secret(endpoint, old_until=timezone.now() + timedelta(minutes=1))
    new, still_valid = keys.signing_keys(endpoint)
    assert still_valid == old != new
    endpoint.old_until = timezone.now()
    assert keys.signing_keys(endpoint) == [new]


def test_key_of_a_removed_pepper_is_lost_and_an_old_one_is_left_out(settings: Settings) -> None:
    endpoint = WebhookEndpoint()
    settings.ENV = replace(settings.ENV, api_key_peppers=PEPPERS[:1])
    keys.renew_secret(endpoint)
    settings.ENV = replace(settings.ENV, api_key_peppers=PEPPERS[1:])
    with pytest.raises(keys.SecretLost):
        keys.signing_keys(endpoint)
    keys.renew_secret(endpoint, old_until=timezone.now() + timedelta(minutes=1))
    assert len(keys.signing_keys(endpoint)) == 1
