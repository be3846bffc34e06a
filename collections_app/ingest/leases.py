"""Which worker works on which revision: a claim in the row, that ends by itself when it is not renewed.

A message in the queue says only that there is something to do. Whoever claims gets a token, and every write after that
carries it: a worker that was taken for dead, and wakes up, writes nothing.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine import process_name
from collections_app.models import Revision, RevisionQuerySet, Status

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=45)
BEAT_S = 10.0
MOST_ATTEMPTS = 3
_OWNERS_AT_ONCE = 20


class LeaseLost(Exception):
    """The revision is somebody else's by now, or gone, or cancelled. Stop, and write nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """The right to work on one revision."""

    revision_id: int
    owner_id: int
    token: UUID
    lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise LeaseLost if it is known to be lost; asks nobody."""
        if self.lost.is_set():
            raise LeaseLost

    def write(self, **changes: Any) -> None:
        """Change the revision, if it is still ours; inside `acting_for(owner_id)`, which a LeaseLost undoes whole."""
        self.check()
        if self._row().update(updated_at=Now(), **changes) != 1:
            self.lost.set()
            raise LeaseLost

    def end(self, status: Status, **changes: Any) -> None:
        """As `write`, and give it back."""
        self.write(status=status, lease_token=None, lease_until=None, **changes)

    def give_up(self) -> None:
        """Let others have it, if it is ours in the database still: it may count as lost because that was away."""
        with acting_for(self.owner_id):
            self._row().update(
                status=Status.QUEUED, lease_token=None, lease_until=None, next_try_at=Now(), updated_at=Now()
            )

    def renew(self) -> None:
        with acting_for(self.owner_id):
            if self._row().update(lease_until=Now() + LEASE) != 1:
                self.lost.set()

    def _row(self) -> RevisionQuerySet:
        rows = Revision.objects.filter(owner_id=self.owner_id, pk=self.revision_id, lease_token=self.token)
        return rows.in_flight()


def claim() -> Lease | None:
    """Take the revision whose turn it is; None when none is due.

    The attempt is counted before anything risky is done, so a file that kills its worker is not tried for ever.
    """
    with acting_as_staff():
        for owner_id in _owners_in_turn():
            due = Revision.objects.due().filter(owner_id=owner_id, attempts__lt=MOST_ATTEMPTS)
            row = due.order_by("next_try_at", "pk").select_for_update(skip_locked=True, of=("self",)).first()
            if row is not None:
                lease = Lease(row.pk, row.owner_id, uuid4())
                Revision.objects.filter(pk=row.pk).update(
                    lease_token=lease.token,
                    lease_until=Now() + LEASE,
                    lease_holder=process_name.name_of(os.getpid()),
                    claimed_at=Now(),
                    attempts=F("attempts") + 1,
                    waiting_for="",
                    updated_at=Now(),
                )
                return lease
    return None


def _owners_in_turn() -> QuerySet[Any, int]:
    """Owners for whom something is due: who has least running comes first, then who was served longest ago."""
    of_owner = Revision.objects.filter(owner=OuterRef("pk"))
    running = of_owner.held().order_by().values("owner").annotate(n=Count("pk")).values("n")
    last = of_owner.order_by(F("claimed_at").desc(nulls_last=True)).values("claimed_at")[:1]
    owners = get_user_model().objects.filter(Exists(of_owner.due().filter(attempts__lt=MOST_ATTEMPTS)))
    return (
        owners.annotate(running=Coalesce(Subquery(running), 0), last=Subquery(last))
        .order_by("running", F("last").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:_OWNERS_AT_ONCE]
    )


def free_abandoned() -> int:
    """End the leases of processes of this machine that are no more, so that nobody has to wait until they run out."""
    with acting_as_staff():
        held = Revision.objects.held().exclude(lease_holder="").values_list("pk", "lease_token", "lease_holder")
        gone = [(pk, token) for pk, token, holder in held if process_name.is_gone(holder)]
        return sum(
            Revision.objects.filter(pk=pk, lease_token=token).update(lease_token=None, lease_until=None)
            for pk, token in gone
        )


def count_due(*, most: int) -> int:
    """How many revisions could be claimed now, counted no further than `most`."""
    with acting_as_staff():
        due = Revision.objects.due().filter(attempts__lt=MOST_ATTEMPTS)
        return len(due.order_by().values_list("pk", flat=True)[:most])


def claim_exhausted() -> Lease | None:
    """Take one that was tried too often, and that nobody holds; for whoever ends it."""
    with acting_as_staff():
        tried = Revision.objects.unheld().filter(attempts__gte=MOST_ATTEMPTS)
        row = tried.select_for_update(skip_locked=True, of=("self",)).first()
        if row is None:
            return None
        lease = Lease(row.pk, row.owner_id, uuid4())
        Revision.objects.filter(pk=row.pk).update(lease_token=lease.token, lease_until=Now() + LEASE)
        return lease


@contextmanager
def kept_alive(lease: Lease, *, every_s: float = BEAT_S) -> Iterator[None]:
    """Renew the lease while the block runs. One that could not be renewed, for whatever reason, counts as lost."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(every_s):
                lease.renew()
                if lease.lost.is_set():
                    return
        except Exception as problem:
            lease.lost.set()
            log.warning("lease_not_renewed", revision=lease.revision_id, error=type(problem).__name__)
        finally:
            connection.close()  # this thread's own

    thread = threading.Thread(target=beat, name=f"lease-{lease.revision_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
