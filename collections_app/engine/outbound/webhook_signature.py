"""Symmetric webhook signatures as specified by https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"


def derive_key(pepper: str, *, salt: bytes) -> bytes:
    """Derive a signing key from the server's secret and a salt; neither alone reveals anything about it."""
    return hmac.digest(pepper.encode(), b"webhook secret\x00" + salt, hashlib.sha256)


def format_secret(key: bytes) -> str:
    """Return the key in the form that receivers store."""
    return _PREFIX + base64.b64encode(key).decode("ascii")


def signature_headers(message_id: str, body: bytes, *, timestamp: int, keys: Iterable[bytes]) -> dict[str, str]:
    """Return the three headers for exactly this body. Each key adds a signature; a receiver needs one that matches."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
