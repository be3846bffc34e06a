"""What an API key looks like, and what is kept of it. No database, no framework.

    pali_<12 public>_<32 secret><6 checksum>      all base62

The public part finds the row, the secret is only kept as an HMAC, the checksum tells a typing mistake, or a guess,
from a key before anybody is asked. `_` is the only separator, so that a double click takes the whole key.
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
_SHAPE = re.compile(
    f"pali_([0-9A-Za-z]{{{PUBLIC_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A well-formed key. Whether anybody has it is another question."""

    public_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyParts({self.public_id})"

    @property
    def text(self) -> str:
        """What its owner keeps and sends."""
        head = f"pali_{self.public_id}_{self.secret}"
        return head + _checksum(head)

    @property
    def last4(self) -> str:
        return self.text[-4:]


def mint() -> KeyParts:
    """A new key; 190 random bits in the secret."""
    return KeyParts(_random(PUBLIC_LENGTH), _random(SECRET_LENGTH))


def parse(text: str) -> KeyParts | None:
    """The parts of a key, or None for what cannot be one."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    public_id, secret, checksum = found.groups()
    parts = KeyParts(public_id, secret)
    return parts if parts.text.endswith(checksum) else None


def digest(secret: str, *, pepper: str) -> bytes:
    """What is kept of a secret. It is long and random, so one fast hash is as good as a slow one."""
    return hmac.digest(pepper.encode(), secret.encode(), hashlib.sha256)


def matches(secret: str, *, pepper: str, kept: bytes) -> bool:
    """Whether this is the secret that `kept` was made of; takes the same time either way."""
    return hmac.compare_digest(digest(secret, pepper=pepper), kept)


def state(*, revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> State:
    """Only an active key opens anything; a revoked one stays revoked."""
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
