"""Messages of webhooks."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable

import pytest

from paliapi_client import SignatureInvalid, verify_webhook

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()
BODY = b'{"type": "document.ready"}'
Headers = dict[str, str]


def headers(body: bytes = BODY, *, secret: str = SECRET, age_s: float = 0) -> Headers:
    moment = str(int(time.time() - age_s))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, b"msg_1." + moment.encode() + b"." + body, "sha256")).decode()
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": moment, "Webhook-Signature": f"v1a,x v1,{signature}"}


def test_a_genuine_message_is_returned() -> None:
    assert verify_webhook(BODY, headers(), SECRET) == {"type": "document.ready"}
    assert verify_webhook(BODY.decode(), headers(), [OTHER, SECRET]) == {"type": "document.ready"}


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent.update({"Webhook-Id": "msg_2"}),
        lambda sent: sent.pop("Webhook-Signature"),
        lambda sent: sent.update({"Webhook-Signature": ""}),
        lambda sent: sent.update({"Webhook-Signature": sent["Webhook-Signature"].replace("v1,", "v2,")}),
        lambda sent: sent.update({"Webhook-Signature": "v1,\u00e9"}),
        lambda sent: sent.update({"Webhook-Timestamp": "now"}),
        lambda sent: sent.update({"Webhook-Timestamp": "9" * 400}),
        lambda sent: sent.update({"Webhook-Timestamp": "\u0661"}),
        lambda sent: sent.update(headers(age_s=301)),
        lambda sent: sent.update(headers(age_s=-301)),
        lambda sent: sent.update(headers(secret=OTHER)),
        lambda sent: sent.update(headers(BODY + b" ")),
    ],
)
def test_others_are_refused(change: Callable[[Headers], object]) -> None:
    sent = headers()
    change(sent)
    with pytest.raises(SignatureInvalid):
        verify_webhook(BODY, sent, SECRET)


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_signed_is_an_object(body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_webhook(body, headers(body), SECRET)


def test_a_secret_that_is_none_is_the_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(BODY, headers(), "whsec_")
