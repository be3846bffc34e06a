"""What happens to keys: they are made, rotated and revoked. A key never gives more than it has."""

from collections.abc import Collection as Several
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts import keys
from accounts.access import SCOPES, Caller
from accounts.models import ApiKey
from accounts.ownership import one_at_a_time
from paliapi.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound, Problem

# Enough for every machine of an owner; few enough that a runaway script is noticed.
MOST_KEYS = 1000


class RightsExceeded(Forbidden):
    code = "rights_exceeded"
    title = "A key cannot give more rights than it has."


class ExpiryInThePast(Invalid):
    code = "expiry_in_the_past"
    title = "The key would have expired already."


class KeyNotActive(Conflict):
    code = "key_not_active"
    title = "This key is revoked or has expired; make a new one."


class TooManyKeys(LimitReached):
    code = "too_many_keys"
    title = "This account has as many keys as it may have; revoke some."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a key may do, to which collections (None: all), and until when (None: for ever)."""

    scopes: frozenset[str]
    collections: frozenset[str] | None = None
    expires_at: datetime | None = None

    @classmethod
    def of(cls, holder: Caller | ApiKey) -> "Rights":
        names = holder.collections
        return cls(
            scopes=frozenset(holder.scopes),
            collections=None if names is None else frozenset(names),
            expires_at=holder.expires_at,
        )

    def cover(self, other: "Rights") -> bool:
        scopes = frozenset(SCOPES) if "admin" in self.scopes else self.scopes
        return (
            other.scopes <= scopes
            and (self.collections is None or (other.collections is not None and other.collections <= self.collections))
            and (self.expires_at is None or (other.expires_at is not None and other.expires_at <= self.expires_at))
        )


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key, and the one time that all of it is known."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"Minted({self.key})"


def mint_key(owner_id: int, *, rights: Rights, name: str = "", rotated_from: ApiKey | None = None) -> Minted:
    """A new key of the owner; inside `acting_for(owner_id)`."""
    if rights.expires_at is not None and rights.expires_at <= timezone.now():
        problem = Problem("/expires_at", ExpiryInThePast.code, "Give a time in the future.")
        raise ExpiryInThePast(problems=(problem,))
    one_at_a_time(owner_id)
    if ApiKey.objects.filter(owner_id=owner_id).in_state("active").count() >= MOST_KEYS:
        raise TooManyKeys(f"An account may have {MOST_KEYS} keys in use.")
    parts = keys.mint()
    pepper_id, pepper = settings.ENV.api_key_peppers[-1]
    key = ApiKey.objects.create(
        owner_id=owner_id,
        name=name,
        public_id=parts.public_id,
        digest=keys.digest(parts.secret, pepper=pepper),
        pepper_id=pepper_id,
        last4=parts.last4,
        scopes=_in_order(rights.scopes),
        collections=None if rights.collections is None else sorted(rights.collections),
        expires_at=rights.expires_at,
        rotated_from=rotated_from,
    )
    key.refresh_from_db(fields=["created_at"])
    return Minted(key, parts.text)


def mint_for(caller: Caller, *, rights: Rights, name: str = "") -> Minted:
    """A new key that a caller asked for."""
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("The new key may have at most the scopes, the collections and the time of the key in use.")
    return mint_key(caller.owner_id, rights=rights, name=name)


def own_key(caller: Caller) -> ApiKey:
    """The key that the caller presented."""
    key = ApiKey.objects.filter(owner_id=caller.owner_id, pk=caller.key_id).first()
    if key is None:
        raise NotFound("The key in use has been deleted meanwhile.")
    return key


def find(caller: Caller, *, key_id: int, locked: bool = False) -> ApiKey:
    """A key that the caller may manage; any other is not there."""
    rows = ApiKey.objects.manageable_by(caller)
    key = (rows.select_for_update() if locked else rows).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def rotate(caller: Caller, *, key_id: int, overlap: timedelta) -> Minted:
    """A new key with the rights of an old one, which then ends after `overlap`, or earlier if it was going to.

    A key that is not for ever stays so: the new one ends when the old one would have. A leaked key cannot
    prolong itself, and nobody gets a successor of a key that may do more than their own.
    """
    old = find(caller, key_id=key_id, locked=True)
    rights = Rights.of(old)
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("This key may do more, or lasts longer, than the key in use.")
    if old.state != "active":
        raise KeyNotActive
    minted = mint_key(caller.owner_id, rights=rights, name=old.name, rotated_from=old)
    ends = timezone.now() + overlap
    old.expires_at = ends if old.expires_at is None else min(ends, old.expires_at)
    old.save(update_fields=["expires_at"])
    return minted


def revoke(key: ApiKey) -> None:
    """End a key now and for ever. Twice is harmless; the first time stays on record."""
    ApiKey.objects.filter(Q(revoked_at__isnull=True), pk=key.pk, owner_id=key.owner_id).update(
        revoked_at=timezone.now()
    )


def _in_order(scopes: Several[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]
