"""Creating, rotating and revoking keys. A key never grants more than it has itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts import keys
from accounts.access import SCOPES, Caller
from accounts.models import ApiKey
from accounts.ownership import OwnerTransaction, lock_owner
from paliapi.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound, Problem

# Enough for every machine of an owner; low enough to stop a runaway script.
MAX_KEYS = 1000


class RightsExceeded(Forbidden):
    code = "rights_exceeded"
    title = "A key cannot grant more rights than it has."


class ExpiryInThePast(Invalid):
    code = "expiry_in_the_past"
    title = "The expiry date is in the past."


class KeyNotActive(Conflict):
    code = "key_not_active"
    title = "This key is revoked or has expired; create a new one."


class TooManyKeys(LimitReached):
    code = "too_many_keys"
    title = "This account has reached its limit of active keys; revoke some."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a key permits, on which collections (None: all), and until when (None: without end)."""

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
        """Check whether these rights include all of the other's."""
        scopes = frozenset(SCOPES) if "admin" in self.scopes else self.scopes
        return (
            other.scopes <= scopes
            and (self.collections is None or (other.collections is not None and other.collections <= self.collections))
            and (self.expires_at is None or (other.expires_at is not None and other.expires_at <= self.expires_at))
        )


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key and its full text, which is known only now."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"Minted({self.key})"


def mint_key(tx: OwnerTransaction, *, rights: Rights, name: str = "", rotated_from: ApiKey | None = None) -> Minted:
    """Create a key of the owner."""
    if rights.expires_at is not None and rights.expires_at <= timezone.now():
        problem = Problem("/expires_at", ExpiryInThePast.code, "Must be in the future.")
        raise ExpiryInThePast(problems=(problem,))
    lock_owner(tx)
    if ApiKey.objects.filter(owner_id=tx.owner_id).in_state("active").count() >= MAX_KEYS:
        raise TooManyKeys(f"An account may have {MAX_KEYS} active keys.")
    parts = keys.mint()
    pepper_id, pepper = settings.ENV.api_key_peppers[-1]
    key = ApiKey.objects.create(
        owner_id=tx.owner_id,
        name=name,
        public_id=parts.public_id,
        digest=keys.digest(parts.secret, pepper=pepper),
        pepper_id=pepper_id,
        last4=parts.last4,
        scopes=[scope for scope in SCOPES if scope in rights.scopes],
        collections=None if rights.collections is None else sorted(rights.collections),
        expires_at=rights.expires_at,
        rotated_from=rotated_from,
    )
    key.refresh_from_db(fields=["created_at"])
    return Minted(key, parts.text)


def mint_for(tx: OwnerTransaction, caller: Caller, *, rights: Rights, name: str = "") -> Minted:
    """Create a key that grants at most what the caller's own key does."""
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("A new key may have at most the scopes, collections and lifetime of the key in use.")
    return mint_key(tx, rights=rights, name=name)


def own_key(tx: OwnerTransaction, caller: Caller) -> ApiKey:
    """Return the key that the caller presented."""
    key = ApiKey.objects.filter(owner_id=tx.owner_id, pk=caller.key_id).first()
    if key is None:
        raise NotFound("The key in use has been deleted.")
    return key


def find(tx: OwnerTransaction, caller: Caller, *, key_id: int, lock: bool = False) -> ApiKey:
    """Return a key that the caller may manage; treat any other as missing."""
    rows = ApiKey.objects.manageable_by(caller).filter(owner_id=tx.owner_id)
    key = (rows.select_for_update() if lock else rows).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def rotate(tx: OwnerTransaction, caller: Caller, *, key_id: int, overlap: timedelta) -> Minted:
    """Replace a key by one with the same rights; the old key expires after `overlap`, or earlier if it was due to.

    The new key expires when the old one would have, so a leaked key cannot extend its own life. A caller cannot
    rotate a key that permits more than its own.
    """
    old = find(tx, caller, key_id=key_id, lock=True)
    rights = Rights.of(old)
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("This key has more rights or a later expiry than the key in use.")
    if old.state != "active":
        raise KeyNotActive
    minted = mint_key(tx, rights=rights, name=old.name, rotated_from=old)
    overlap_ends = timezone.now() + overlap
    old.expires_at = overlap_ends if old.expires_at is None else min(overlap_ends, old.expires_at)
    old.save(update_fields=["expires_at"])
    return minted


def revoke(key: ApiKey) -> None:
    """Revoke a key for good. Revoking it again is harmless and keeps the first date."""
    rows = ApiKey.objects.filter(pk=key.pk, owner_id=key.owner_id, revoked_at__isnull=True)
    rows.update(revoked_at=timezone.now())
