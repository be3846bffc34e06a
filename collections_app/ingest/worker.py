"""Process queued revisions. The kind of an error decides what happens to the revision.

It fails for good, or it waits in its row for the next try; what the document showed before stays shown.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Greatest, Now

from collections_app.engine.rendering.errors import SandboxIncomplete
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.ingest import leases, outages, pipeline, store_pages
from collections_app.ingest.embed_pages import PageFailed, SharedEmbedder
from collections_app.ingest.errors import TriedTooOften
from collections_app.ingest.in_flight import InFlight
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.ingest.publish import RetryStore
from collections_app.models import Revision, Status
from collections_app.storage.errors import StorageUnavailable
from collections_app.webhooks import outbox
from paliapi.database import release_connection
from paliapi.errors import Error, Unavailable

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _MAX_PAUSE_S = 5.0, 60.0
# Parts of this installation are waited for without limit, other servers `_MAX_WAITS` times.
_OWN_PARTS = (EmbeddingsUnavailable, EmbeddingsUntrustworthy, SandboxIncomplete, StorageUnavailable)
_MAX_WAITS = 10
_DATABASE_TIMEOUT_S, _DATABASE_POLL_S = 30.0, 0.5
# After this time, no more revisions are taken up, so that other tasks get their turn.
_TURN_S = 30.0
_LOOK_EVERY_S = 0.5  # for revisions that have become due
_CHECK_EVERY_S = 1.0


def run(*, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Process due revisions for a while, and return whether there is more to do.

    Call `meanwhile` every second while revisions are taken up.
    """
    at_once = settings.ENV.worker_documents
    with SharedEmbedder() as embedder:
        is_idle = not (_process_one(embedder) if at_once == 1 else _process_many(embedder, at_once, meanwhile))
    if is_idle:
        # A redelivered message may stand for the work of a process that was killed.
        return leases.free_abandoned() > 0
    return leases.count_due(limit=1) > 0 and not outages.is_ongoing()


def _process_one(embedder: SharedEmbedder) -> bool:
    """Process one slice of one revision, and return whether one was due."""
    lease = None if outages.is_ongoing() else leases.claim()
    if lease is not None:
        _work_on(lease, embedder)
    return lease is not None


def _process_many(embedder: SharedEmbedder, at_once: int, meanwhile: Callable[[], None]) -> bool:
    """Take up revisions until none is due or the turn is over; return whether any was due.

    A retry has the process to itself: if it kills this one too, no other document loses an attempt.
    """
    any_due = False
    end, checked = time.monotonic() + _TURN_S, float("-inf")
    with InFlight(embedder, limit=at_once) as in_flight:
        while time.monotonic() < end:
            if time.monotonic() > checked + _CHECK_EVERY_S:
                if outages.is_ongoing():
                    break
                meanwhile()
                checked = time.monotonic()
            lease = leases.claim(may_retry=in_flight.is_empty())
            any_due = any_due or lease is not None
            if lease is not None and lease.is_retry:
                _work_on(lease, embedder)
            elif lease is not None:
                in_flight.start(partial(_work_on, lease, embedder))
                in_flight.wait_for_room(until=end)
            elif in_flight.is_empty():
                break
            else:
                in_flight.wait_until_empty(within_s=_LOOK_EVERY_S)
    return any_due


def _work_on(lease: Lease, embedder: SharedEmbedder, rendered: Callable[[], None] = lambda: None) -> None:
    with structlog.contextvars.bound_contextvars(revision=lease.revision_id), leases.renewing(lease):
        _attempt(lease, embedder, rendered)
        release_connection()


def sweep(*, limit: int) -> int:
    """Fail the revisions that used up their attempts, and return how many others are due, up to `limit`."""
    leases.free_abandoned()
    while (lease := leases.claim_exhausted()) is not None:
        with suppress(LeaseLost):
            _fail(lease, TriedTooOften())
    return 0 if outages.is_ongoing() else leases.count_due(limit=limit)


def _attempt(lease: Lease, embedder: SharedEmbedder, rendered: Callable[[], None]) -> None:
    """Process a slice. No error of one revision goes any further."""
    try:
        with _record_errors(lease):
            pipeline.process(lease, embedder, rendered=rendered)
    except LeaseLost:
        log.info("lease_lost")
        _release(lease)
    except (OperationalError, InterfaceError) as error:
        log.warning("database_unavailable", error=type(error).__name__)
        _release(lease)


@contextmanager
def _record_errors(lease: Lease) -> Iterator[None]:
    """Record an error in the row of the revision, by its kind."""
    try:
        yield
    except LeaseLost:
        raise
    except RetryStore:
        _requeue(lease, pause_s=0)
    except Unavailable as error:
        _wait(lease, error)
    except PageFailed as failure:
        _fail(lease, failure.error, page=failure.page)
    except Error as error:
        _fail(lease, error)
    except OSError as error:
        log.error("storage_unavailable", error=str(error))
        _wait(lease, StorageUnavailable())
    except (OperationalError, InterfaceError):
        raise  # no row can be written now
    except Exception:
        # The attempt stays counted: a revision that keeps raising is failed by the sweeper.
        log.exception("processing_broke_off")
        _requeue(lease, pause_s=_FIRST_PAUSE_S)


def _fail(lease: Lease, error: Error, *, page: int | None = None) -> None:
    """Fail the revision for good. Its pages and their quota are released; its file stays, so that it can be retried."""
    details = {"code": error.code, "detail": error.detail, **({"page": page} if page else {})}
    with lease.transaction() as tx:
        lease.end(tx, Status.FAILED, error=details, pages_done=0, reused_pages=0, waiting_for="")
        store_pages.delete_pages(tx, [lease.revision_id])
        outbox.announce(tx, lease.revision_id)
    log.info("failed", code=error.code, page=page)


def _wait(lease: Lease, error: Unavailable) -> None:
    """Queue the revision again until what it needs is back. This costs no attempt."""
    with lease.transaction() as tx:
        row = Revision.objects.filter(owner_id=tx.owner_id, pk=lease.revision_id).first()
        waits = row.waits if row else 0
    if waits >= _MAX_WAITS and not isinstance(error, _OWN_PARTS):
        _fail(lease, error)
        return
    pause_s = min(_FIRST_PAUSE_S * 2 ** min(waits, 10), _MAX_PAUSE_S) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
    changes = {"waiting_for": error.code, "waits": waits + 1, "attempts": Greatest(F("attempts") - 1, 0)}
    _requeue(lease, pause_s=max(pause_s, error.retry_after_s or 0.0), **changes)
    log.info("waiting", code=error.code)
    if outages.may_cause(error):
        outages.check_after(error)


def _release(lease: Lease) -> None:
    """Let another worker continue as soon as the database responds. If it does not, the lease expires by itself."""
    deadline = time.monotonic() + _DATABASE_TIMEOUT_S
    while time.monotonic() < deadline:
        release_connection()
        try:
            lease.release()
        except (OperationalError, InterfaceError):
            time.sleep(_DATABASE_POLL_S)
        else:
            return


def _requeue(lease: Lease, *, pause_s: float, **changes: object) -> None:
    with lease.transaction() as tx:
        lease.end(tx, Status.QUEUED, next_try_at=Now() + timedelta(seconds=pause_s), **changes)
