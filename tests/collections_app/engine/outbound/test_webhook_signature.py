"""Signatures that others can check."""

import base64

import pytest
from django.utils import timezone
from svix.webhooks import Webhook, WebhookVerificationError

from collections_app.engine.outbound.webhook_signature import derived_key, secret_text, signed_headers

KEY = derived_key("pepper" * 6, salt=b"s" * 32)


def test_the_published_example_is_signed_as_published() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', timestamp=1614265330, keys=[key])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_either_key_of_two_verifies_and_no_other() -> None:
    other = derived_key("pepper" * 6, salt=b"t" * 32)
    stranger = derived_key("another" * 6, salt=b"s" * 32)
    body = '{"name": "ünï"}'.encode()
    headers = signed_headers("msg_1", body, timestamp=int(timezone.now().timestamp()), keys=[KEY, other])
    for key in (KEY, other):
        assert Webhook(secret_text(key)).verify(body, headers) == {"name": "ünï"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(stranger)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(KEY)).verify(body + b" ", headers)


def test_a_secret_is_as_long_as_the_standard_wants() -> None:
    assert secret_text(KEY).startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret_text(KEY).removeprefix("whsec_"))) <= 64
