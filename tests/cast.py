"""The users of the tests: Alice owns the data, Bob has a read-only key of hers, Charlie is another owner."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.access import SCOPES
from accounts.key_lifecycle import Rights, mint_key, revoke
from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_as_staff, acting_for, managing_users

EVERYTHING = frozenset(SCOPES)


@dataclass(frozen=True)
class Someone:
    """A user with an API key, and the requests of a client that presents it."""

    user: CustomUser
    key: str

    @property
    def id(self) -> int:
        return self.user.pk

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(path, headers={**self.headers, **_names(headers)})

    def delete(self, path: str, **headers: str) -> Any:
        return Client().delete(path, headers={**self.headers, **_names(headers)})

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("PATCH", path, body, headers)

    def upload(self, path: str, form: dict[str, Any], **headers: str) -> Any:
        return Client().post(path, form, headers={**self.headers, **_names(headers)})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Client().generic(
            method, path, text, content_type="application/json", headers={**self.headers, **_names(headers)}
        )


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def someone(email: str) -> Someone:
    """Create a user, with a key that has every scope."""
    with managing_users():
        user = CustomUser.objects.create_user(email)
    return with_key(user)


def with_key(
    user: CustomUser, *, scopes: frozenset[str] = EVERYTHING, collections: frozenset[str] | None = None
) -> Someone:
    """Create another key of the user."""
    with acting_for(user.pk) as tx:
        minted = mint_key(tx, rights=Rights(scopes=scopes, collections=collections))
    return Someone(user, minted.text)


def activate(who: Someone, *, is_active: bool) -> None:
    """Activate or deactivate a user, as staff do in the admin."""
    with acting_as_staff():
        CustomUser.objects.filter(pk=who.id).update(is_active=is_active)


def with_revoked_key(user: CustomUser) -> Someone:
    with acting_for(user.pk) as tx:
        minted = mint_key(tx, rights=Rights(scopes=EVERYTHING))
        revoke(tx, minted.key)
    return Someone(user, minted.text)


def with_expired_key(user: CustomUser) -> Someone:
    with acting_for(user.pk) as tx:
        minted = mint_key(tx, rights=Rights(scopes=EVERYTHING))
        ApiKey.objects.filter(pk=minted.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Someone(user, minted.text)
