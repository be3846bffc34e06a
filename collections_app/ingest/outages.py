"""Outages of the embeddings service. During one, no worker takes up work, and one of them probes the service.

Outages are stored in the database, so that every worker knows at once, and still knows after a restart.
"""

import threading
from datetime import timedelta

import structlog
from django.db.models.functions import Now

from accounts.ownership import acting_as_housekeeping
from collections_app import embeddings_client
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.models import Outage, Revision, RevisionQuerySet, Status
from paliapi.errors import Error

log = structlog.get_logger(__name__)

_EMBEDDINGS = "embeddings"
_PROBE_EVERY = timedelta(seconds=5)
_ROWS_AT_ONCE = 1000
_checking = threading.Lock()


def may_cause(error: Error) -> bool:
    """Return whether the error may come from an outage rather than from one document."""
    return isinstance(error, EmbeddingsUnavailable | EmbeddingsUntrustworthy)


def check_after(error: Error) -> None:
    """Probe the service; if it does not respond, record an outage. Call outside a transaction."""
    with _checking:  # one probe is enough for documents that failed together
        if Outage.objects.filter(part=_EMBEDDINGS).exists() or embeddings_client.is_available():
            return
        _begin(error)


def _begin(error: Error) -> None:
    outage = Outage(part=_EMBEDDINGS, code=error.code, next_try_at=Now() + _PROBE_EVERY)
    with acting_as_housekeeping():
        Outage.objects.bulk_create([outage], ignore_conflicts=True)
    _mark_waiting()
    log.warning("outage", part=_EMBEDDINGS, code=error.code)


def is_ongoing() -> bool:
    """Return whether to take up no work now. Every few seconds, one of the callers probes the service."""
    rows = Outage.objects.filter(part=_EMBEDDINGS)
    if not rows.exists():
        return False
    is_prober = rows.filter(next_try_at__lte=Now()).update(next_try_at=Now() + _PROBE_EVERY) == 1
    if is_prober and embeddings_client.is_available():
        _end()
        return False
    _mark_waiting()
    return True


def probe_soon() -> None:
    """Let the next caller of `is_ongoing` probe the service."""
    Outage.objects.filter(part=_EMBEDDINGS).update(next_try_at=Now())


def _end() -> None:
    with acting_as_housekeeping():
        Outage.objects.filter(part=_EMBEDDINGS).delete()
    # Only rows that waited because of others; a row that failed itself has its own time to try again.
    _set_waiting_for(_queued().exclude(waiting_for="").filter(waits=0), "")
    log.warning("outage_over", part=_EMBEDDINGS)


def _mark_waiting() -> None:
    """Record in every due row what it waits for."""
    outage = Outage.objects.filter(part=_EMBEDDINGS).first()
    if outage is not None:  # otherwise it ended at this moment
        _set_waiting_for(_queued().filter(waiting_for="", next_try_at__lte=Now()), outage.code)


def _queued() -> RevisionQuerySet:
    return Revision.objects.unheld().filter(status=Status.QUEUED)


def _set_waiting_for(rows: RevisionQuerySet, code: str) -> None:
    """Update a limited number of rows, so that no other process is held up; rows locked by others come next time."""
    with acting_as_housekeeping():
        ids = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:_ROWS_AT_ONCE]
        Revision.objects.filter(pk__in=list(ids)).update(waiting_for=code, updated_at=Now())
