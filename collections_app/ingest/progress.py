"""How the newest content of a document is getting on: looked at again and again, until that comes to an end.

The row is asked, not a message queue: what was committed is seen, whatever became of the messages. Between two looks no
connection to the database is held, so that whoever waits keeps nobody from working.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app.models import IN_FLIGHT, Document, Revision
from paliapi.database import let_go

SUPERSEDED: Final = "superseded"
DELETED: Final = "deleted"

_FIRST_LOOK_S, _LAST_LOOK_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One state: that of the row, or one of the two ways in which a row comes to nothing. None: the row is gone."""

    status: str
    revision: Revision | None

    @property
    def is_over(self) -> bool:
        return self.status not in IN_FLIGHT

    @property
    def mark(self) -> str:
        """Different for every state of every content."""
        row = self.revision
        return f"{row.pk}-{row.updated_at.timestamp() * 1_000_000:.0f}-{self.status}" if row else self.status


def follow(
    caller: Caller, document: Document, *, within_s: float, beat_s: float = float("inf")
) -> Iterator[Progress | None]:
    """The state now and each that follows, to the last or until time is up; None where `beat_s` brought nothing new.

    Call it outside a transaction, which would not see the end.
    """
    begun = told_at = time.monotonic()
    pause_s, mark = _FIRST_LOOK_S, ""
    while True:
        state = _look(caller, document)
        let_go()
        now = time.monotonic()
        if state.mark != mark:
            yield state
            if state.is_over:
                return
            mark, told_at, pause_s = state.mark, now, _FIRST_LOOK_S
        elif now - told_at >= beat_s:
            yield None
            told_at = now
        if now + pause_s >= begun + within_s:
            return
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LAST_LOOK_S)


def _look(caller: Caller, document: Document) -> Progress:
    with acting_for(caller.owner_id):
        seen = Document.objects.visible_to(caller).filter(pk=document.pk)
        rows = Revision.objects.filter(owner_id=caller.owner_id, pk=document.latest_id or 0, document__in=seen)
        row = rows.select_related("document__collection").first()
        if row is None:
            return Progress(SUPERSEDED if seen.exists() else DELETED, None)
    return Progress(row.status if row.document.latest_id == row.pk else SUPERSEDED, row)
