"""Authenticating requests by their API key, and checking the key's scope."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db.models import Exists, Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import keys
from accounts.access import Caller, Scope
from accounts.limits.budgets import refuse_overspent
from accounts.models import ApiKey, CustomUser
from accounts.ownership import OwnerTransaction, acting_for, fetch_with_key
from paliapi.database import statement
from paliapi.errors import Forbidden, Unauthenticated
from paliapi.http.client_address import client_address

if TYPE_CHECKING:
    # Importing views makes the framework import this module, which the settings name.
    from rest_framework.views import APIView

# Plain SQL, because every request runs it and building it from models takes longer than Postgres does.
_SELECT_KEY = statement(
    "SELECT k.id, k.owner_id, o.email, o.is_active, k.digest, k.pepper_id, k.scopes, k.collections, "
    "k.expires_at, k.revoked_at, k.last_used_at "
    "FROM {keys} AS k JOIN {owners} AS o ON o.id = k.owner_id WHERE k.public_id = %s",
    keys=ApiKey,
    owners=CustomUser,
)
_AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S{1,100}) *", re.IGNORECASE)
_LAST_USED_PRECISION = timedelta(minutes=1)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ScopeMissing(Forbidden):
    code = "scope_missing"
    title = "This key lacks the required scope."


@dataclass(frozen=True, slots=True)
class _KeyRow:
    """The stored fields of a key and of its owner."""

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

    @property
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
    """Authentication with `Authorization: Bearer KEY` or `Token KEY`. All refusals look alike, whatever the reason."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        refuse_overspent(request)
        key = presented_key(request)
        caller = caller_with_key(key, address=client_address(request)) if key else None
        if caller is None:
            raise Unauthenticated
        return caller, caller

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="PaliAPI"'


def presented_key(request: Request) -> str | None:
    """Return the key in the `Authorization` header; None if there is none, or the header is malformed."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    return match.group(1) if match else None


def caller_with_key(text: str, *, address: str) -> Caller | None:
    """Return the caller that presents this key, if the key is active; record its use."""
    parts = keys.parse(text)
    key = _find_active_key(parts) if parts else None
    if key is None:
        return None
    # Every line that is logged about this request names them, so that the use of a leaked key can be followed.
    structlog.contextvars.bind_contextvars(owner_id=key.owner_id, key_id=key.id)
    _record_use(key, address)
    return key.caller


def caller_of_key(*, owner_id: int, key_id: int) -> Caller | None:
    """Return the caller whose key was accepted before, if the key and its owner are still active."""
    with acting_for(owner_id) as tx:
        rows = ApiKey.objects.filter(owner_id=tx.owner_id, pk=key_id, owner__is_active=True).in_state("active")
        values = rows.values_list("owner__email", "scopes", "collections", "expires_at").first()
    if values is None:
        return None
    email, scopes, collections, expires_at = values
    return Caller(
        owner_id=owner_id,
        email=email,
        key_id=key_id,
        scopes=frozenset(scopes),
        collections=None if collections is None else frozenset(collections),
        expires_at=expires_at,
    )


def _find_active_key(parts: keys.KeyParts) -> _KeyRow | None:
    """Return the key if it exists, its secret matches, and it may be used now."""
    row = fetch_with_key(parts.public_id, _SELECT_KEY, parts.public_id)
    key = _KeyRow(*row) if row else None
    pepper = dict(settings.ENV.api_key_peppers).get(key.pepper_id, "") if key else ""
    # Compare even without a key, so that an unknown key takes as long as a wrong secret.
    matches = keys.matches(parts.secret, pepper=pepper, expected=key.digest if key else b"")
    if key is None or not (matches and pepper and key.owner_is_active):
        return None
    state = keys.state(revoked_at=key.revoked_at, expires_at=key.expires_at, now=timezone.now())
    return key if state == "active" else None


def is_still_valid(caller: Caller) -> bool:
    """Check whether the presented key, if any, is still active, for responses that outlast the first check."""
    with acting_for(caller.owner_id) as tx:
        return is_active(tx, key_id=caller.key_id or None)


def is_active(tx: OwnerTransaction, *, key_id: int | None) -> bool:
    """Check whether the owner is active, and so is this key of the owner, if one is named."""
    owners = CustomUser.objects.filter(pk=tx.owner_id, is_active=True)
    if key_id is not None:
        owners = owners.filter(Exists(ApiKey.objects.filter(owner_id=tx.owner_id, pk=key_id).in_state("active")))
    return owners.exists()


def _record_use(key: _KeyRow, address: str) -> None:
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < _LAST_USED_PRECISION:
        return
    with acting_for(key.owner_id) as tx:
        # Of several concurrent requests, only the first one writes.
        outdated = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _LAST_USED_PRECISION)
        ApiKey.objects.filter(outdated, pk=key.id, owner_id=tx.owner_id).update(
            last_used_at=now, last_used_address=address or None
        )


class HasScope(BasePermission):
    """Requires the scope that `view.scopes` names for the method; by default `read` for safe methods, else `write`.

    None as the scope admits any valid key.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Caller):
            raise Unauthenticated
        method = request.method or ""
        scopes: Mapping[str, Scope | None] = getattr(view, "scopes", {})
        default: Scope = "read" if method in _SAFE_METHODS else "write"
        scope = scopes.get(method, default)
        if scope is not None and not request.auth.may(scope):
            raise ScopeMissing(f"This key lacks the scope `{scope}`.")
        return True
