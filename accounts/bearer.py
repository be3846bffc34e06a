"""Whose key a request bears, and whether that key may do this."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from psycopg import sql
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import keys
from accounts.access import Caller, Scope
from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_for, seen_with_key
from paliapi.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    # Importing views makes the framework import this module, by the name that the settings give.
    from rest_framework.views import APIView

# In plain SQL, for every request asks it: building the same from models takes longer than Postgres does.
_COLUMNS = {model: [field.attname for field in model._meta.concrete_fields] for model in (ApiKey, CustomUser)}
_KEY = (
    sql.SQL("SELECT {columns} FROM {keys} JOIN {owners} ON {owners}.id = owner_id WHERE public_id = %s")
    .format(
        columns=sql.SQL(", ").join(
            sql.Identifier(model._meta.db_table, name) for model, names in _COLUMNS.items() for name in names
        ),
        keys=sql.Identifier(ApiKey._meta.db_table),
        owners=sql.Identifier(CustomUser._meta.db_table),
    )
    .as_bytes()
)
_AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S{1,100}) *", re.IGNORECASE)
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ScopeMissing(Forbidden):
    code = "scope_missing"
    title = "This key lacks the scope for that."


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `Token KEY`. Every refusal is the same, whatever its reason."""

    def authenticate(self, request: Request) -> tuple[CustomUser, Caller] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        found = _AUTHORIZATION.fullmatch(header)
        parts = keys.parse(found.group(1)) if found else None
        key = _find(parts) if parts else None
        if key is None:
            raise Unauthenticated
        return key.owner, _caller(key)

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="PaliAPI"'


def _find(parts: keys.KeyParts) -> ApiKey | None:
    """The usable key that these parts are, its use noted."""
    key = _look_up(parts.public_id)
    if not _is_good(key, parts.secret) or key is None:
        return None
    _note_use(key)
    return key


def _look_up(public_id: str) -> ApiKey | None:
    """The key with its owner."""
    row = seen_with_key(public_id, _KEY, public_id)
    if row is None:
        return None
    key = ApiKey.from_db(connection.alias, _COLUMNS[ApiKey], row[: len(_COLUMNS[ApiKey])])
    key.owner = CustomUser.from_db(connection.alias, _COLUMNS[CustomUser], row[len(_COLUMNS[ApiKey]) :])
    return key


def _is_good(key: ApiKey | None, secret: str) -> bool:
    """Whether the secret is that of a usable key; an unknown key takes as long as a wrong secret."""
    peppers = dict(settings.ENV.api_key_peppers)
    pepper = peppers.get(key.pepper_id, "") if key else ""
    same = keys.matches(secret, pepper=pepper, kept=bytes(key.digest) if key else b"")
    return same and bool(pepper) and key is not None and key.state == "active" and key.owner.is_active


def is_still_good(caller: Caller) -> bool:
    """Whether the key that was presented may be used now; for what goes on after the request was let in."""
    with acting_for(caller.owner_id):
        rows = ApiKey.objects.filter(owner_id=caller.owner_id, pk=caller.key_id).select_related("owner")
        key = rows.first()
    return key is not None and key.state == "active" and key.owner.is_active


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < _USE_IS_NOTED_EVERY:
        return
    with acting_for(key.owner_id):
        # Of several requests at once, the first one writes.
        not_noted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(not_noted, pk=key.pk, owner_id=key.owner_id).update(last_used_at=now)


def _caller(key: ApiKey) -> Caller:
    return Caller(
        owner_id=key.owner_id,
        email=key.owner.email,
        key_id=key.pk,
        scopes=frozenset(key.scopes),
        collections=None if key.collections is None else frozenset(key.collections),
        expires_at=key.expires_at,
    )


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
