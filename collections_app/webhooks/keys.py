"""The keys that an endpoint's messages are signed with: derived from a pepper of this server and a salt in the row.

Whoever has a copy of the database alone can sign nothing; and nothing has to be decrypted.
"""

import secrets
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from collections_app.engine.outbound.webhook_signature import derive_key, format_secret
from collections_app.webhook_models import WebhookEndpoint

_SALT_BYTES = 32


class SecretLost(Exception):
    """The pepper that a secret was derived from is not configured any more."""


def renew(endpoint: WebhookEndpoint, *, old_until: datetime | None = None) -> None:
    """Give it a new secret, and let the one it had sign as well for a while; the row is not saved."""
    endpoint.old_salt, endpoint.old_pepper_id = (endpoint.salt, endpoint.pepper_id) if old_until else (None, None)
    endpoint.old_until = old_until
    endpoint.salt = secrets.token_bytes(_SALT_BYTES)
    endpoint.pepper_id = settings.ENV.api_key_peppers[-1][0]


def secret_of(endpoint: WebhookEndpoint) -> str:
    """The secret as its receiver keeps it."""
    return format_secret(_key(endpoint.salt, endpoint.pepper_id))


def signing_keys(endpoint: WebhookEndpoint) -> list[bytes]:
    """The key, and while it is being rotated the old one."""
    found = [_key(endpoint.salt, endpoint.pepper_id)]
    old_is_good = endpoint.old_until is not None and endpoint.old_until > timezone.now()
    if old_is_good and endpoint.old_salt is not None and endpoint.old_pepper_id is not None:
        with suppress(SecretLost):
            found.append(_key(endpoint.old_salt, endpoint.old_pepper_id))
    return found


def _key(salt: bytes | memoryview, pepper_id: int) -> bytes:
    pepper = dict(settings.ENV.api_key_peppers).get(pepper_id)
    if pepper is None:
        raise SecretLost
    return derive_key(pepper, salt=bytes(salt))
