"""Follow the latest revision of a document until its processing ends.

The row is polled, not a message queue: every commit is seen, even if messages are lost. No database connection is held
between two polls, so waiting clients do not keep others from working.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Max, Sum

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app.models import IN_FLIGHT, Document, Revision
from paliapi.database import release_connection

SUPERSEDED: Final = "superseded"
DELETED: Final = "deleted"

_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.05, 1.0
_ACCOUNT_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a revision: the status of its row, or `superseded` or `deleted`. No revision: the row is gone."""

    status: str
    revision: Revision | None

    @property
    def is_over(self) -> bool:
        return self.status not in IN_FLIGHT

    @property
    def event_id(self) -> str:
        """An id that differs for every state of every revision."""
        row = self.revision
        return f"{row.pk}-{row.updated_at.timestamp() * 1_000_000:.0f}-{self.status}" if row else self.status


def follow(
    caller: Caller, document: Document, *, timeout_s: float, heartbeat_s: float = float("inf")
) -> Iterator[Progress | None]:
    """Yield the current state and every later one, until processing ends or time is up.

    Yield None whenever nothing has changed for `heartbeat_s`. Call outside a transaction: inside one, changes would be
    invisible.
    """
    start = last_yield = time.monotonic()
    pause_s, event_id = _FIRST_PAUSE_S, ""
    while True:
        state = _poll(caller, document)
        release_connection()
        now = time.monotonic()
        if state.event_id != event_id:
            yield state
            if state.is_over:
                return
            event_id, last_yield, pause_s = state.event_id, now, _FIRST_PAUSE_S
        elif now - last_yield >= heartbeat_s:
            yield None
            last_yield = now
        if now + pause_s >= start + timeout_s:
            return
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)


def follow_account(caller: Caller, *, timeout_s: float, heartbeat_s: float) -> Iterator[str | None]:
    """Yield a mark of what is being processed in the account, and again whenever it has changed, until time is up.

    Yield None whenever nothing has changed for `heartbeat_s`. Call outside a transaction.
    """
    start = last_yield = time.monotonic()
    known = ""
    while True:
        mark = _mark(caller)
        release_connection()
        now = time.monotonic()
        if mark != known:
            yield mark
            known, last_yield = mark, now
        elif now - last_yield >= heartbeat_s:
            yield None
            last_yield = now
        if now + _ACCOUNT_PAUSE_S >= start + timeout_s:
            return
        time.sleep(_ACCOUNT_PAUSE_S)


def _mark(caller: Caller) -> str:
    """Return a text that differs after every change of what is being processed: an end leaves one job fewer."""
    with acting_for(caller.owner_id) as tx:
        visible = Document.objects.visible_to(caller)
        rows = Revision.objects.in_flight().filter(owner_id=tx.owner_id)
        if caller.collections is not None:
            rows = rows.filter(document__in=visible)
        values = rows.aggregate(jobs=Count("pk"), last=Max("pk"), pages=Sum("pages_done"), at=Max("updated_at"))
    at = values["at"]
    return f"{values['jobs']}-{values['last'] or 0}-{values['pages'] or 0}-{at.timestamp() if at else 0:.6f}"


def _poll(caller: Caller, document: Document) -> Progress:
    with acting_for(caller.owner_id) as tx:
        visible = Document.objects.visible_to(caller).filter(pk=document.pk)
        rows = Revision.objects.filter(owner_id=tx.owner_id, pk=document.latest_id or 0, document__in=visible)
        row = rows.select_related("document__collection").first()
        if row is None:
            return Progress(SUPERSEDED if visible.exists() else DELETED, None)
    return Progress(row.status if row.document.latest_id == row.pk else SUPERSEDED, row)
