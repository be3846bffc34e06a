"""The verb that makes queued revisions searchable. What becomes of one is decided here, by the kind of its error.

A failure is for good, or waits in the row for its next try; what the document showed before stays as it is.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Greatest, Now

from accounts.ownership import acting_for
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.ingest import leases, outages, pipeline, store_pages
from collections_app.ingest.embed_pages import PageRefused
from collections_app.ingest.errors import TriedTooOften
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.ingest.store_pages import PutAgain
from collections_app.models import Revision, Status
from collections_app.storage import files
from collections_app.storage.errors import StorageUnavailable
from collections_app.webhooks import outbox
from paliapi.database import let_go
from paliapi.errors import Error, Unavailable

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 60.0
# What is ours to run is waited for without end; the rest, so often.
_OURS = (EmbeddingsUnavailable, EmbeddingsUntrustworthy, StorageUnavailable)
_MOST_WAITS = 10
_DATABASE_BACK_WITHIN_S, _LOOK_AGAIN_S = 30.0, 0.5


def run() -> bool:
    """Give one revision its turn; whether there is more to do."""
    lease = None if outages.is_on() else leases.claim()
    if lease is None:
        # A message that comes again may be the work of a process that was killed.
        return leases.free_abandoned() > 0
    with structlog.contextvars.bound_contextvars(revision=lease.revision_id), leases.kept_alive(lease):
        _attempt(lease)
    return leases.count_due(most=1) > 0 and not outages.is_on()


def sweep(*, most: int) -> int:
    """End what was tried too often; how many revisions are due, up to `most`."""
    leases.free_abandoned()
    while (lease := leases.claim_exhausted()) is not None:
        with suppress(LeaseLost):
            _fail(lease, TriedTooOften())
    return 0 if outages.is_on() else leases.count_due(most=most)


def _attempt(lease: Lease) -> None:
    """Nothing that goes wrong with one revision goes further than this."""
    try:
        with _told_by_kind(lease):
            pipeline.take(lease)
    except LeaseLost:
        log.info("lease_lost")
        _give_up(lease)
    except (OperationalError, InterfaceError) as problem:
        log.warning("database_unavailable", error=type(problem).__name__)
        _give_up(lease)


@contextmanager
def _told_by_kind(lease: Lease) -> Iterator[None]:
    try:
        yield
    except LeaseLost:
        raise
    except PutAgain:
        _give_back(lease, pause_s=0)
    except Unavailable as away:
        _wait(lease, away)
    except PageRefused as refused:
        _fail(lease, refused.error, page=refused.page)
    except Error as refused:
        _fail(lease, refused)
    except files.TROUBLE as problem:
        log.error("storage_unavailable", error=str(problem))
        _wait(lease, StorageUnavailable())
    except (OperationalError, InterfaceError):
        raise  # nothing can be said in a row now
    except Exception:
        # The attempt stays counted: what goes on like this is failed by the sweeper.
        log.exception("processing_broke_off")
        _give_back(lease, pause_s=_FIRST_PAUSE_S)


def _fail(lease: Lease, error: Error, *, page: int | None = None) -> None:
    """For good. Its pages go, and with them their share of the quota; the file stays, so that it can be tried again."""
    told = {"code": error.code, "detail": error.detail, **({"page": page} if page else {})}
    with acting_for(lease.owner_id):
        lease.end(Status.FAILED, error=told, pages_done=0, reused_pages=0, waiting_for="")
        store_pages.drop(lease.owner_id, [lease.revision_id])
        outbox.announce(lease.owner_id, lease.revision_id)
    log.info("failed", code=error.code, page=page)


def _wait(lease: Lease, away: Unavailable) -> None:
    """Until what it needs is there again. That costs no attempt."""
    with acting_for(lease.owner_id):
        row = Revision.objects.filter(owner_id=lease.owner_id, pk=lease.revision_id).first()
        waits = row.waits if row else 0
    if waits >= _MOST_WAITS and not isinstance(away, _OURS):
        _fail(lease, away)
        return
    pause_s = min(_FIRST_PAUSE_S * 2 ** min(waits, 10), _LONGEST_PAUSE_S) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
    changes = {"waiting_for": away.code, "waits": waits + 1, "attempts": Greatest(F("attempts") - 1, 0)}
    _give_back(lease, pause_s=max(pause_s, away.retry_after_s or 0.0), **changes)
    log.info("waiting", code=away.code)
    if outages.is_caused_by(away):
        outages.suspect(away)


def _give_up(lease: Lease) -> None:
    """Let others go on at once, once the database is there to be told. Else the lease runs out by itself."""
    until = time.monotonic() + _DATABASE_BACK_WITHIN_S
    while time.monotonic() < until:
        let_go()
        try:
            lease.give_up()
        except (OperationalError, InterfaceError):
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _give_back(lease: Lease, *, pause_s: float, **changes: object) -> None:
    with acting_for(lease.owner_id):
        lease.end(Status.QUEUED, next_try_at=Now() + timedelta(seconds=pause_s), **changes)
