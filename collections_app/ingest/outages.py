"""What all documents need and is away: the embeddings service. While it is, nobody takes up work, and one asks again.

It stands in the database, so that every worker knows at once, and knows still after a restart.
"""

from datetime import timedelta

import structlog
from django.db.models.functions import Now

from accounts.ownership import acting_as_staff
from collections_app import embeddings_client
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.models import Outage, Revision, RevisionQuerySet, Status
from paliapi.errors import Error

log = structlog.get_logger(__name__)

_EMBEDDINGS = "embeddings"
_ASK_AGAIN_AFTER = timedelta(seconds=5)
_ROWS_AT_ONCE = 1000


def is_caused_by(error: Error) -> bool:
    """Whether this may be more than the trouble of one document."""
    return isinstance(error, EmbeddingsUnavailable | EmbeddingsUntrustworthy)


def suspect(error: Error) -> None:
    """Find out whether the service is away for everybody; if so, everybody waits. Call it outside a transaction."""
    if embeddings_client.answers():
        return
    outage = Outage(part=_EMBEDDINGS, code=error.code, next_try_at=Now() + _ASK_AGAIN_AFTER)
    Outage.objects.bulk_create([outage], ignore_conflicts=True)
    _let_wait()
    log.warning("outage", part=_EMBEDDINGS, code=error.code)


def is_on() -> bool:
    """Whether to take up no work now. Of all who ask, one asks the service every few seconds."""
    rows = Outage.objects.filter(part=_EMBEDDINGS)
    if not rows.exists():
        return False
    mine = rows.filter(next_try_at__lte=Now()).update(next_try_at=Now() + _ASK_AGAIN_AFTER) == 1
    if mine and embeddings_client.answers():
        _end()
        return False
    _let_wait()
    return True


def ask_soon() -> None:
    """Whoever looks next asks the service: somebody does not want to wait."""
    Outage.objects.filter(part=_EMBEDDINGS).update(next_try_at=Now())


def _end() -> None:
    Outage.objects.filter(part=_EMBEDDINGS).delete()
    # Only those who waited for the others' sake; who failed by themselves have their own time to try again.
    _say(_queued().exclude(waiting_for="").filter(waits=0), waiting_for="")
    log.warning("outage_over", part=_EMBEDDINGS)


def _let_wait() -> None:
    """Say in every row that is due what it waits for."""
    outage = Outage.objects.filter(part=_EMBEDDINGS).first()
    if outage is not None:  # else it ended at this moment
        _say(_queued().filter(waiting_for="", next_try_at__lte=Now()), waiting_for=outage.code)


def _queued() -> RevisionQuerySet:
    return Revision.objects.unheld().filter(status=Status.QUEUED)


def _say(rows: RevisionQuerySet, *, waiting_for: str) -> None:
    """In so many rows at a time that nobody is held up; those that somebody else is changing are left to the next."""
    with acting_as_staff():
        some = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:_ROWS_AT_ONCE]
        Revision.objects.filter(pk__in=list(some)).update(waiting_for=waiting_for, updated_at=Now())
