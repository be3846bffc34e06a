"""Signatures of webhooks as https://www.standardwebhooks.com has them, symmetric ones."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"


def derived_key(pepper: str, *, salt: bytes) -> bytes:
    """The key that a server's secret and a salt make; neither alone says anything about it."""
    return hmac.digest(pepper.encode(), b"webhook secret\x00" + salt, hashlib.sha256)


def secret_text(key: bytes) -> str:
    """A key as receivers keep it."""
    return _PREFIX + base64.b64encode(key).decode("ascii")


def signed_headers(message_id: str, body: bytes, *, timestamp: int, keys: Iterable[bytes]) -> dict[str, str]:
    """The three headers over exactly these bytes; with several keys, several signatures, of which one must fit."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
