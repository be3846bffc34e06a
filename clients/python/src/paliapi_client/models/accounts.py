"""Answers of the API about accounts, with its field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, without its secret part."""

    id: int
    name: str
    key_hint: str
    """The parts of the key that are shown again."""
    scopes: list[str]
    collections: list[str] | None = None
    """The only collections it reaches, by name; null: all."""
    state: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    """Accurate to the minute."""
    last_used_address: str | None = None
    """The client's IP address at that time."""
    revoked_at: datetime | None = None
    minted_by: int | None = None
    """The id of the key that created this one; if that key is no longer stored, of the key that created it. Null:
    created without a key."""
    rotated_from: int | None = None
    """The id of the key that this one replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(Key):
    """An API key that was just created; its secret part is shown only now."""

    key: str
    """The whole key. It is shown only once and never stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """What the key in use may do."""

    email: str
    key_id: int
    """The key in use."""
    key_name: str
    scopes: list[str]
    collections: list[str] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an account uses, and its quotas and limits."""

    collections: int | None = None
    documents: int | None = None
    pages: int | None = None
    bytes: int | None = None
    """Size of uploaded files, metadata, and responses stored for `Idempotency-Key`."""
    max_collections: int
    max_documents: int
    max_pages: int
    max_bytes: int
    requests_per_minute: int
    """The rate at which a key's allowance refills."""
    requests_at_once: int
    """The full allowance of a key, which may be spent at once."""
    searches_at_once: int
    """How many searches the account may run concurrently."""
    uploads_at_once: int
    """How many uploads the account may run concurrently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the server."""

    status: str
    """Always `ok`."""
