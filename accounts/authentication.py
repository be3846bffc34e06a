"""Whose key a request bears, and whether that key may do this."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import keys
from accounts.access import Caller, Scope
from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_for, seen_with_key
from paliapi.database import statement
from paliapi.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    # Importing views makes the framework import this module, by the name that the settings give.
    from rest_framework.views import APIView

# In plain SQL, for every request asks it: building the same from models takes longer than Postgres does.
_KEY = statement(
    "SELECT k.id, k.owner_id, o.email, o.is_active, k.digest, k.pepper_id, k.scopes, k.collections, "
    "k.expires_at, k.revoked_at, k.last_used_at "
    "FROM {keys} AS k JOIN {owners} AS o ON o.id = k.owner_id WHERE k.public_id = %s",
    keys=ApiKey,
    owners=CustomUser,
)
_AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S{1,100}) *", re.IGNORECASE)
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ScopeMissing(Forbidden):
    code = "scope_missing"
    title = "This key lacks the scope for that."


@dataclass(frozen=True, slots=True)
class _Key:
    """What is kept of a key, and of its owner."""

    id: int
    owner_id: int
    email: str
    owner_is_active: bool
    digest: bytes
    pepper_id: int
    scopes: list[str]
    collections: list[str] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def caller(self) -> Caller:
        return Caller(
            owner_id=self.owner_id,
            email=self.email,
            key_id=self.id,
            scopes=frozenset(self.scopes),
            collections=None if self.collections is None else frozenset(self.collections),
            expires_at=self.expires_at,
        )


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `Token KEY`. Every refusal is the same, whatever its reason."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        found = _AUTHORIZATION.fullmatch(header)
        parts = keys.parse(found.group(1)) if found else None
        key = _find(parts) if parts else None
        if key is None:
            raise Unauthenticated
        caller = key.caller()
        return caller, caller

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="PaliAPI"'


def _find(parts: keys.KeyParts) -> _Key | None:
    """The usable key that these parts are, its use noted."""
    row = seen_with_key(parts.public_id, _KEY, parts.public_id)
    key = _Key(*row) if row else None
    if not _is_good(key, parts.secret) or key is None:
        return None
    _note_use(key)
    return key


def _is_good(key: _Key | None, secret: str) -> bool:
    """Whether the secret is that of a usable key; an unknown key takes as long as a wrong secret."""
    peppers = dict(settings.ENV.api_key_peppers)
    pepper = peppers.get(key.pepper_id, "") if key else ""
    same = keys.matches(secret, pepper=pepper, kept=key.digest if key else b"")
    if key is None or not (same and pepper and key.owner_is_active):
        return False
    return keys.state(revoked_at=key.revoked_at, expires_at=key.expires_at, now=timezone.now()) == "active"


def is_still_good(caller: Caller) -> bool:
    """Whether the key that was presented may be used now; for what goes on after the request was let in."""
    with acting_for(caller.owner_id):
        rows = ApiKey.objects.filter(owner_id=caller.owner_id, pk=caller.key_id).select_related("owner")
        key = rows.first()
    return key is not None and key.state == "active" and key.owner.is_active


def _note_use(key: _Key) -> None:
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < _USE_IS_NOTED_EVERY:
        return
    with acting_for(key.owner_id):
        # Of several requests at once, the first one writes.
        not_noted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(not_noted, pk=key.id, owner_id=key.owner_id).update(last_used_at=now)


class HasScope(BasePermission):
    """The scope that `view.scopes` names for the method; where it names none, read to look and write to change.

    None as the scope: any valid key will do.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Caller):
            raise Unauthenticated
        method = request.method or ""
        scopes: Mapping[str, Scope | None] = getattr(view, "scopes", {})
        usual: Scope = "read" if method in _READING else "write"
        needed = scopes.get(method, usual)
        if needed is not None and not request.auth.may(needed):
            raise ScopeMissing(f"This key lacks the scope `{needed}`.")
        return True
