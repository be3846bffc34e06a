"""The format of API keys and the digest stored of them. Uses neither the database nor a framework.

    pali_<12 public>_<32 secret><6 checksum>      all base62

The public part identifies the row, only an HMAC of the secret is stored, and the checksum exposes typing mistakes and
guesses without a database query. `_` is the only separator, so that a double click selects the whole key.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

State: TypeAlias = Literal["revoked", "expired", "active"]

PUBLIC_LENGTH = 12
SECRET_LENGTH = 32
_CHECKSUM_LENGTH = 6
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(
    f"pali_([0-9A-Za-z]{{{PUBLIC_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A well-formed key, which may or may not exist."""

    public_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyParts({self.public_id})"

    @property
    def text(self) -> str:
        """The whole key, as clients send it."""
        head = f"pali_{self.public_id}_{self.secret}"
        return head + _checksum(head)

    @property
    def last4(self) -> str:
        return self.text[-4:]


def mint() -> KeyParts:
    """Return a new key, with 190 random bits in its secret."""
    return KeyParts(_random(PUBLIC_LENGTH), _random(SECRET_LENGTH))


def parse(text: str) -> KeyParts | None:
    """Split a key into its parts; return None if the text is no well-formed key."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    public_id, secret, checksum = match.groups()
    parts = KeyParts(public_id, secret)
    return parts if parts.text.endswith(checksum) else None


def digest(secret: str, *, pepper: str) -> bytes:
    """Return the digest to store. The secret is long and random, so a fast hash is as good as a slow one."""
    return hmac.digest(pepper.encode(), secret.encode(), hashlib.sha256)


def matches(secret: str, *, pepper: str, expected: bytes) -> bool:
    """Check a secret against its digest in constant time."""
    return hmac.compare_digest(digest(secret, pepper=pepper), expected)


def state(*, revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> State:
    """Return the state of a key; a revoked key counts as revoked even after it has expired."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "active"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
