"""The keys that sign an endpoint's messages, derived from a pepper of this server and a salt in the row.

A copy of the database alone cannot sign anything, and nothing has to be decrypted.
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
    """The pepper from which a secret was derived is no longer configured."""


def renew_secret(endpoint: WebhookEndpoint, *, old_until: datetime | None = None) -> None:
    """Give the endpoint a new secret, and let the old one sign too until `old_until`. The row is not saved."""
    endpoint.old_salt, endpoint.old_pepper_id = (endpoint.salt, endpoint.pepper_id) if old_until else (None, None)
    endpoint.old_until = old_until
    endpoint.salt = secrets.token_bytes(_SALT_BYTES)
    endpoint.pepper_id = settings.ENV.api_key_peppers[-1][0]


def secret_of(endpoint: WebhookEndpoint) -> str:
    """Return the secret in the form that receivers configure."""
    return format_secret(_key(endpoint.salt, endpoint.pepper_id))


def signing_keys(endpoint: WebhookEndpoint) -> list[bytes]:
    """Return the key and, during a rotation, the old one."""
    signing = [_key(endpoint.salt, endpoint.pepper_id)]
    old_is_valid = endpoint.old_until is not None and endpoint.old_until > timezone.now()
    if old_is_valid and endpoint.old_salt is not None and endpoint.old_pepper_id is not None:
        with suppress(SecretLost):
            signing.append(_key(endpoint.old_salt, endpoint.old_pepper_id))
    return signing


def _key(salt: bytes | memoryview, pepper_id: int) -> bytes:
    pepper = dict(settings.ENV.api_key_peppers).get(pepper_id)
    if pepper is None:
        raise SecretLost
    return derive_key(pepper, salt=bytes(salt))
