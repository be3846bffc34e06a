"""Creating, rotating, revoking and forgetting keys. A key never grants more than it has itself.

Every operation locks the owner first. So a key that is being revoked creates no other key meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts import keys
from accounts.access import SCOPES, Caller
from accounts.models import ApiKey
from accounts.ownership import OwnerTransaction, acting_as_housekeeping, acting_for, lock_owner
from paliapi.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound, Problem, Unauthenticated

# Enough for every machine of an owner; low enough to stop a runaway script.
MAX_KEYS = 1000
# Revoked and expired keys are stored for this long as a record, and at most this many of them.
ENDED_KEYS_RETENTION = timedelta(days=90)
MAX_ENDED_KEYS = 1000
_FORGOTTEN_AT_ONCE = 500


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


def mint_key(
    tx: OwnerTransaction,
    *,
    rights: Rights,
    name: str = "",
    minted_by: int | None = None,
    rotated_from: ApiKey | None = None,
) -> Minted:
    """Create a key of the owner; `minted_by` is the id of the key that asked for it."""
    if rights.expires_at is not None and rights.expires_at <= timezone.now():
        problem = Problem("/expires_at", ExpiryInThePast.code, "Must be in the future.")
        raise ExpiryInThePast(problems=(problem,))
    lock_owner(tx)
    of_owner = ApiKey.objects.filter(owner_id=tx.owner_id)
    if of_owner.in_state("active").count() >= MAX_KEYS:
        raise TooManyKeys(f"An account may have {MAX_KEYS} active keys.")
    _forget(of_owner.ended_before(timezone.now()).order_by("-pk")[MAX_ENDED_KEYS : MAX_ENDED_KEYS + _FORGOTTEN_AT_ONCE])
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
        minted_by_id=minted_by,
        rotated_from=rotated_from,
    )
    key.refresh_from_db(fields=["created_at"])
    return Minted(key, parts.text)


def mint_for(tx: OwnerTransaction, caller: Caller, *, rights: Rights, name: str = "") -> Minted:
    """Create a key that grants at most what the caller's own key does."""
    _lock_with_active_key(tx, caller)
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("A new key may have at most the scopes, collections and lifetime of the key in use.")
    return mint_key(tx, rights=rights, name=name, minted_by=caller.key_id or None)


def own_key(tx: OwnerTransaction, caller: Caller) -> ApiKey:
    """Return the key that the caller presented."""
    key = ApiKey.objects.filter(owner_id=tx.owner_id, pk=caller.key_id).first()
    if key is None:
        raise NotFound("The key in use has been deleted.")
    return key


def find(tx: OwnerTransaction, caller: Caller, *, key_id: int) -> ApiKey:
    """Return a key that the caller may manage; treat any other as missing."""
    key = ApiKey.objects.manageable_by(caller).filter(owner_id=tx.owner_id, pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def rotate(tx: OwnerTransaction, caller: Caller, *, key_id: int, overlap: timedelta) -> Minted:
    """Replace a key by one with the same rights; the old key expires after `overlap`, or earlier if it was due to.

    The new key expires when the old one would have, so a leaked key cannot extend its own life. A caller cannot
    rotate a key that permits more than its own.
    """
    _lock_with_active_key(tx, caller)
    old = find(tx, caller, key_id=key_id)
    rights = Rights.of(old)
    if not Rights.of(caller).cover(rights):
        raise RightsExceeded("This key has more rights or a later expiry than the key in use.")
    if old.state != "active":
        raise KeyNotActive
    minted = mint_key(tx, rights=rights, name=old.name, minted_by=caller.key_id or None, rotated_from=old)
    overlap_ends = timezone.now() + overlap
    old.expires_at = overlap_ends if old.expires_at is None else min(overlap_ends, old.expires_at)
    old.save(update_fields=["expires_at"])
    return minted


def revoke(tx: OwnerTransaction, key: ApiKey, *, with_descendants: bool = False) -> None:
    """Revoke a key for good, and on request every key that it created, that those created, and so on.

    Revoking a key again is harmless and keeps the first date.
    """
    lock_owner(tx)
    ids = _with_descendants(tx, key) if with_descendants else {key.pk}
    rows = ApiKey.objects.filter(owner_id=tx.owner_id, pk__in=ids, revoked_at__isnull=True)
    rows.update(revoked_at=timezone.now())


def forget_ended() -> int:
    """Delete keys that were revoked or expired long ago, of all owners, and return how many."""
    moment = timezone.now() - ENDED_KEYS_RETENTION
    with acting_as_housekeeping():
        owner_ids = list(ApiKey.objects.ended_before(moment).order_by().values_list("owner_id", flat=True).distinct())
    count = 0
    for owner_id in owner_ids:
        with acting_for(owner_id) as tx:
            lock_owner(tx)
            ended = ApiKey.objects.filter(owner_id=tx.owner_id).ended_before(moment)
            count += _forget(ended.order_by("-pk")[:_FORGOTTEN_AT_ONCE])
    return count


def _lock_with_active_key(tx: OwnerTransaction, caller: Caller) -> None:
    """Lock the owner; raise Unauthenticated if the caller's key, if any, has ended since the request began."""
    lock_owner(tx)
    if caller.key_id and not ApiKey.objects.filter(owner_id=tx.owner_id, pk=caller.key_id).in_state("active").exists():
        raise Unauthenticated


def _with_descendants(tx: OwnerTransaction, key: ApiKey) -> set[int]:
    """Return the ids of a key and of all keys that exist because of it."""
    ids = {key.pk}
    # A key is newer than the key that created it, so one pass in this order finds all.
    newer = ApiKey.objects.filter(owner_id=tx.owner_id, pk__gt=key.pk).order_by("pk")
    for key_id, minted_by in newer.values_list("pk", "minted_by_id"):
        if minted_by in ids:
            ids.add(key_id)
    return ids


def _forget(newest_first: QuerySet[ApiKey]) -> int:
    """Delete keys, and return how many. What such a key created counts as created by the key that created it.

    The newest come first, so that the origin of a key is still stored when the key is deleted.
    """
    forgotten = list(newest_first.values_list("pk", "owner_id", "minted_by_id"))
    for key_id, owner_id, minted_by in forgotten:
        ApiKey.objects.filter(owner_id=owner_id, minted_by=key_id).update(minted_by=minted_by)
        ApiKey.objects.filter(owner_id=owner_id, pk=key_id).delete()
    return len(forgotten)
