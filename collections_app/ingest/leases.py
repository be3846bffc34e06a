"""Leases: which worker processes which revision.

A message in the queue only says that there is work. The worker that claims a revision gets a token, which every later
write carries: a worker that was presumed dead and wakes up writes nothing. A lease that is not renewed expires.

The revisions of a deactivated owner wait, as they are, until the owner is active again.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import structlog
from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from accounts.ownership import OwnerTransaction, acting_as_housekeeping, acting_for
from collections_app.engine import process_name
from collections_app.models import IN_FLIGHT, Revision, RevisionQuerySet, Status
from collections_app.owned import NO_LEASE
from paliapi.database import (
    Command,
    ConstantQuery,
    Row,
    Value,
    array_of_texts,
    execute_together,
    release_connection,
    statement,
)

log = structlog.get_logger(__name__)

LEASE_DURATION = timedelta(seconds=45)
RENEW_EVERY_S = 10.0
MAX_ATTEMPTS = 3
_OWNERS_AT_ONCE = 20
_MOMENT = timedelta(seconds=1)

_IN_FLIGHT = array_of_texts(IN_FLIGHT)
_IF_HELD = b"owner_id = %s AND id = %s AND lease_token = %s::uuid AND status = ANY(%s::text[])"
_LOCK = statement("SELECT id FROM {revisions} WHERE ", revisions=Revision) + _IF_HELD + b" FOR NO KEY UPDATE"
_CHANGE = statement("UPDATE {revisions} SET updated_at = statement_timestamp(), ", revisions=Revision)
# The next due revision of an owner, with its attempts and whether it was claimed: a retry only if that is allowed.
# The states are literals, so that Postgres may use the partial index of revisions in flight.
_CLAIM = statement(
    "WITH next AS (SELECT id, attempts FROM {revisions} WHERE owner_id = %s "
    "AND status IN ('queued', 'fetching', 'rendering', 'embedding') "
    "AND (lease_until IS NULL OR lease_until <= statement_timestamp()) AND next_try_at <= statement_timestamp() "
    "AND attempts < %s::int ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED), "
    "claimed AS (UPDATE {revisions} AS r SET lease_token = %s::uuid, lease_holder = %s, "
    "lease_until = statement_timestamp() + make_interval(secs => %s::int), claimed_at = statement_timestamp(), "
    "updated_at = statement_timestamp(), attempts = r.attempts + 1, waiting_for = '', pages_at_claim = r.pages_done, "
    "status = CASE WHEN r.file_id IS NULL THEN %s::text ELSE %s::text END "
    "FROM next WHERE r.id = next.id AND (next.attempts = 0 OR %s::bool) RETURNING r.id) "
    "SELECT next.id, next.attempts, claimed.id IS NOT NULL FROM next LEFT JOIN claimed ON claimed.id = next.id",
    revisions=Revision,
)


class Changes(NamedTuple):
    """A part of a statement, with `%s` for each of its values."""

    sql: bytes
    values: Sequence[Value] = ()


_ID = Changes(b"id")


class LeaseLost(Exception):
    """The revision was claimed by another worker, deleted or cancelled. Stop, and write nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """The right to work on one revision."""

    revision_id: int
    owner_id: int
    token: UUID
    is_retry: bool = False  # an earlier attempt ended without progress, perhaps because it killed its process
    lost: threading.Event = field(default_factory=threading.Event)

    def transaction(self, *first: Command) -> AbstractContextManager[OwnerTransaction]:
        """Open a transaction of the revision's owner, which may begin with statements."""
        return acting_for(self.owner_id, first=first)

    def check(self) -> None:
        """Raise LeaseLost if the lease is known to be lost, without a query."""
        if self.lost.is_set():
            raise LeaseLost

    def write(self, tx: OwnerTransaction, **changes: Any) -> None:
        """Change the revision if the lease still holds; LeaseLost otherwise, which rolls the transaction back."""
        self.check()
        if self._row(tx).update(updated_at=Now(), **changes) != 1:
            self.lost.set()
            raise LeaseLost

    def read(self, tx: OwnerTransaction) -> Revision:
        """Return the revision with its file, without a lock; LeaseLost if the lease does not hold any more."""
        row = self._row(tx).select_related("file").first()
        if row is None:
            self.lost.set()
            raise LeaseLost
        return row

    def lock(self) -> Command:
        """Return the statement that locks the revision; pass its rows to `require`."""
        return Command(_LOCK, self._if_held)

    def change(self, changes: Changes, *, returning: Changes = _ID) -> Command:
        """Return the statement that changes the revision; pass its rows to `require`."""
        text = _CHANGE + changes.sql + b" WHERE " + _IF_HELD + b" RETURNING " + returning.sql
        return Command(text, (*changes.values, *self._if_held, *returning.values))

    def require(self, rows: list[Row]) -> None:
        """Raise LeaseLost if a statement has not found the revision because the lease does not hold any more."""
        self.check()
        if not rows:
            self.lost.set()
            raise LeaseLost

    @property
    def _if_held(self) -> tuple[Value, ...]:
        return self.owner_id, self.revision_id, str(self.token), _IN_FLIGHT

    def end(self, tx: OwnerTransaction, status: Status, **changes: Any) -> None:
        """Change the revision like `write`, and end the lease."""
        self.write(tx, status=status, **NO_LEASE, **changes)

    def release(self) -> None:
        """Let another worker continue at once, if the row still carries this lease.

        This ignores `lost`: the lease may count as lost only because the database was away.
        """
        with self.transaction() as tx:
            self._row(tx).update(status=Status.QUEUED, **NO_LEASE, next_try_at=Now(), updated_at=Now())

    def renew(self) -> None:
        """Extend the lease, unless it is lost or the owner has been deactivated."""
        with self.transaction() as tx:
            if self._row(tx).of_active_owners().update(lease_until=Now() + LEASE_DURATION) != 1:
                self.lost.set()

    def _row(self, tx: OwnerTransaction) -> RevisionQuerySet:
        rows = Revision.objects.filter(owner_id=tx.owner_id, pk=self.revision_id, lease_token=self.token)
        return rows.in_flight()


def claim(*, may_retry: bool = True) -> Lease | None:
    """Lease the next revision in fair order; None if none is due, or if the next is a retry and `may_retry` is false.

    The attempt is counted before anything risky happens, so a file that kills its worker is not retried for ever.
    """
    token, holder, seconds = uuid4(), process_name.name_of(os.getpid()), int(LEASE_DURATION.total_seconds())
    changes = (str(token), holder, seconds, Status.FETCHING, Status.RENDERING, str(may_retry))
    with acting_as_housekeeping(_OWNERS_IN_FAIR_ORDER.command()) as (owners,):
        for (owner_id,) in owners:
            [rows] = execute_together(Command(_CLAIM, (owner_id, MAX_ATTEMPTS, *changes)))
            for revision_id, attempts, is_claimed in rows:
                return Lease(revision_id, owner_id, token, is_retry=attempts > 0) if is_claimed else None
    return None


def claim_exhausted() -> Lease | None:
    """Lease a revision that used up its attempts, so that the caller can fail it; None if there is none."""
    with acting_as_housekeeping():
        exhausted = Revision.objects.of_active_owners().unheld().filter(attempts__gte=MAX_ATTEMPTS)
        row = exhausted.only("pk", "owner_id", "attempts").select_for_update(skip_locked=True, of=("self",)).first()
        if row is None:
            return None
        token = Revision.objects.filter(pk=row.pk).lease(LEASE_DURATION)
        return Lease(row.pk, row.owner_id, token, is_retry=row.attempts > 0)


def _owners_in_fair_order() -> QuerySet[Any, int]:
    """Return owners with due revisions: fewest running first, then the one served longest ago."""
    of_owner = Revision.objects.filter(owner=OuterRef("pk"))
    last_claim = of_owner.order_by(F("claimed_at").desc(nulls_last=True)).values("claimed_at")[:1]
    has_due = Exists(of_owner.due().filter(attempts__lt=MAX_ATTEMPTS))
    owners = get_user_model().objects.filter(has_due, is_active=True)
    return (
        owners.annotate(running=of_owner.held().count_per_owner(), last_claim=Subquery(last_claim))
        .order_by("running", F("last_claim").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:_OWNERS_AT_ONCE]
    )


_OWNERS_IN_FAIR_ORDER = ConstantQuery(_owners_in_fair_order)


def free_abandoned() -> int:
    """End the leases of dead processes of this machine, and return how many there were."""
    with acting_as_housekeeping():
        return Revision.objects.free_abandoned()


def count_due(*, limit: int) -> int:
    """Count the revisions that could be claimed now, up to `limit`."""
    with acting_as_housekeeping():
        due = Revision.objects.of_active_owners().due().filter(attempts__lt=MAX_ATTEMPTS)
        return len(due.order_by().values_list("pk", flat=True)[:limit])


def is_owner_waiting() -> bool:
    """Check whether an owner of whom nothing is being processed has waited for more than a moment."""
    with acting_as_housekeeping():
        return bool(_WAITING_OWNERS.rows())


def _waiting_owners() -> QuerySet[Any, int]:
    of_owner = Revision.objects.filter(owner=OuterRef("pk"))
    due = of_owner.due().filter(attempts__lt=MAX_ATTEMPTS, next_try_at__lt=Now() - _MOMENT)
    owners = get_user_model().objects.filter(Exists(due), ~Exists(of_owner.held()), is_active=True)
    return owners.values_list("pk", flat=True)[:1]


_WAITING_OWNERS = ConstantQuery(_waiting_owners)


@contextmanager
def renewing(lease: Lease, *, every_s: float = RENEW_EVERY_S) -> Iterator[None]:
    """Renew the lease while the block runs. A lease that could not be renewed, for any reason, counts as lost."""
    done = threading.Event()

    def renew_until_done() -> None:
        try:
            while not done.wait(every_s):
                lease.renew()
                release_connection()
                if lease.lost.is_set():
                    return
        except Exception as error:
            lease.lost.set()
            log.warning("lease_not_renewed", revision=lease.revision_id, error=type(error).__name__)
        finally:
            release_connection()

    thread = threading.Thread(target=renew_until_done, name=f"lease-{lease.revision_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
