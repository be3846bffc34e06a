"""Signatures that third-party libraries verify."""

import base64

import pytest
from django.utils import timezone
from svix.webhooks import Webhook, WebhookVerificationError

from collections_app.engine.outbound.webhook_signature import derive_key, format_secret, signature_headers

KEY = derive_key("pepper" * 6, salt=b"s" * 32)


def test_the_published_example_has_the_published_signature() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', timestamp=1614265330, keys=[key]
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_either_of_two_keys_verifies_and_no_other() -> None:
    other = derive_key("pepper" * 6, salt=b"t" * 32)
    unrelated = derive_key("another" * 6, salt=b"s" * 32)
    body = '{"name": "ünï"}'.encode()
    headers = signature_headers("msg_1", body, timestamp=int(timezone.now().timestamp()), keys=[KEY, other])
    for key in (KEY, other):
        assert Webhook(format_secret(key)).verify(body, headers) == {"name": "ünï"}
    with pytest.raises(WebhookVerificationError):
        Webhook(format_secret(unrelated)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(format_secret(KEY)).verify(body + b" ", headers)


def test_secrets_have_the_length_the_standard_requires() -> None:
    assert format_secret(KEY).startswith("whsec_")
    assert 24 <= len(base64.b64decode(format_secret(KEY).removeprefix("whsec_"))) <= 64
