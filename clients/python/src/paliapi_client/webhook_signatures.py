"""Verify messages of webhooks, as Standard Webhooks specifies."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from paliapi_client.errors import SignatureInvalid

TOLERANCE_S = 300.0


def verify_webhook(
    body: bytes | str, headers: Mapping[str, str], secret: str | Iterable[str], *, tolerance_s: float = TOLERANCE_S
) -> dict[str, Any]:
    """Return the message of a webhook, or raise SignatureInvalid if it is not genuine, or too old.

    `body` is the request's, unchanged; `headers` in any case; `secret` the webhook's, or several while it is rotated.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, signatures = (found[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise SignatureInvalid(f"The header {error.args[0]} is missing.") from None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 15):
        raise SignatureInvalid("The timestamp is not a number of seconds.")
    if abs(time.time() - int(timestamp)) > tolerance_s:
        raise SignatureInvalid("The timestamp is too far from now.")
    content = body.encode() if isinstance(body, str) else bytes(body)
    signed = f"{message_id}.{timestamp}.".encode() + content
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [b"v1," + base64.b64encode(hmac.digest(_key(each), signed, "sha256")) for each in secrets]
    given = [signature.encode() for signature in signatures.split(" ")]
    # Every pair is compared, so that the time tells nothing.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in given):
        raise SignatureInvalid("The signature does not match.")
    try:
        message = json.loads(content)
    except (ValueError, RecursionError):
        raise SignatureInvalid("The message is not JSON.") from None
    if not isinstance(message, dict):
        raise SignatureInvalid("The message is not an object.")
    return message


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("The secret of the webhook is not valid; it begins with whsec_.")
    return key
