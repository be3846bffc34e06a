"""Answers of the API about webhooks, with its field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that receives messages about documents."""

    id: int
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None = None
    """Why it is disabled."""
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    """When the first message since the last success failed."""
    old_secret_until: datetime | None = None
    """Until when messages are also signed with the old secret."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWithSecret(Webhook):
    """A webhook with the secret that signs its messages."""

    secret: str
    """The secret that signs messages. Returned only once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to a webhook, and how its delivery went."""

    id: int
    message_id: str
    """The `webhook-id`, the same for every attempt."""
    event: str
    status: str
    attempts: int
    """Attempts since it was created or last resent."""
    next_try_at: datetime | None = None
    """When the next attempt is, if it is pending."""
    attempted_at: datetime | None = None
    """When the last attempt was."""
    took_ms: int | None = None
    """Duration of the last attempt."""
    error: str | None = None
    """Why the last attempt failed."""
    response_status: int | None = None
    response_body: str
    """The beginning of the last response."""
    delivered_at: datetime | None = None
    created_at: datetime
