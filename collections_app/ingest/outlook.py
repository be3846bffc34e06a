"""How fast documents are being processed, and how long the rest will take.

Everything is measured: the pages that were stored in the last minute. What was not processed lately has no rate,
so nothing is promised while processing waits for something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.db import connection

from accounts.ownership import OwnerTransaction, acting_as_housekeeping
from collections_app.models import IN_FLIGHT, Revision, Status
from paliapi.database import binary_cursor, statement

_WINDOW_S = 60
# A slice of a document lasts less than this, so one that stored a page within the window was claimed within it.
_LONGEST_SLICE_S = 300
# Pages are stored in batches: until the next one is due, the time since the last one does not count.
_BETWEEN_BATCHES_S = 20

# One row has no id: the sum over all documents. The others have the pages to do until a document is done. What comes
# after the last document that is asked for need not be sorted.
_OUTLOOK = statement(
    """
WITH recent AS (
  SELECT claimed_at, updated_at, pages_total, greatest(pages_done - pages_at_claim, 0)::float8 AS pages
  FROM {revision}
  WHERE (owner_id = %(owner)s OR %(owner)s::bigint IS NULL)
    AND claimed_at > now() - make_interval(secs => %(slice)s)
    AND updated_at > greatest(claimed_at, now() - make_interval(secs => %(window)s))
), bounds AS (
  SELECT greatest(min(claimed_at), now() - make_interval(secs => %(window)s)) AS began,
         greatest(max(updated_at), now() - make_interval(secs => %(between)s)) AS ended,
         avg(pages_total)::float8 AS pages_per_document
  FROM recent WHERE pages > 0
), pace AS (
  SELECT pages_per_document,
         CASE WHEN ended - began > interval '1 s' THEN
           (SELECT sum(pages * extract(epoch FROM updated_at - greatest(claimed_at, began))::float8
                       / extract(epoch FROM updated_at - claimed_at)::float8) FROM recent)
           / extract(epoch FROM ended - began)::float8
         END AS pages_per_s
  FROM bounds
), unfinished AS (
  SELECT id, NOT coalesce(lease_until > now(), false) AS waits, next_try_at,
         coalesce(pages_total, pages_per_document, 1) - pages_done AS pages
  FROM {revision}, pace
  WHERE (owner_id = %(owner)s OR %(owner)s::bigint IS NULL) AND status = ANY(%(in_flight)s)
), last_asked AS (
  SELECT waits, next_try_at, id FROM unfinished WHERE id = ANY(%(ids)s::bigint[])
  ORDER BY waits DESC, next_try_at DESC, id DESC LIMIT 1
)
SELECT NULL::bigint, count(*), coalesce(sum(pages), 0)::float8, (SELECT pages_per_s FROM pace) FROM unfinished
UNION ALL
SELECT id, 1, until_done, (SELECT pages_per_s FROM pace) FROM (
  SELECT id, sum(pages) OVER (ORDER BY waits, next_try_at, id)::float8 AS until_done
  FROM unfinished WHERE (waits, next_try_at, id) <= (SELECT waits, next_try_at, id FROM last_asked)
) AS queue WHERE id = ANY(%(ids)s::bigint[])
""",
    revision=Revision,
)
# The id of the revision, documents, pages and pages per second.
_Row: TypeAlias = tuple[int | None, int, float, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is left to process. Pages of files that were not opened yet are estimated; None: not known."""

    documents: int
    pages: int
    pages_per_s: float | None

    @property
    def seconds(self) -> float | None:
        return self.pages / self.pages_per_s if self.pages_per_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutlook:
    """The rate at which the pages of a job are processed, and the seconds until its end; None: not known."""

    pages_per_s: float | None = None
    seconds: float | None = None


def of_owner(tx: OwnerTransaction) -> Outlook:
    return _of_all(_read(tx.owner_id))


def of_everyone() -> Outlook:
    """Return the outlook of all owners together."""
    with acting_as_housekeeping():
        return _of_all(_read(None))


def of_job(row: Revision) -> JobOutlook:
    """Return the outlook of a job that is being processed, as far as its own row shows it."""
    if row.status not in (Status.RENDERING, Status.EMBEDDING) or row.claimed_at is None or row.pages_total is None:
        return JobOutlook()
    pages, seconds = row.pages_done - row.pages_at_claim, (row.updated_at - row.claimed_at).total_seconds()
    if pages <= 0 or seconds <= 0:
        return JobOutlook()
    rate = pages / seconds
    return JobOutlook(pages_per_s=rate, seconds=(row.pages_total - row.pages_done) / rate)


def of_jobs(tx: OwnerTransaction, rows: Sequence[Revision]) -> dict[int, JobOutlook]:
    """Return the outlook of each job: of one in the queue, when it and all before it are done."""
    known, queued = _known_and_queued(rows)
    return known | _of_queued(_read(tx.owner_id, queued)) if queued else known


def of_owner_and_jobs(tx: OwnerTransaction, rows: Sequence[Revision]) -> tuple[Outlook, dict[int, JobOutlook]]:
    """Return the outlook of the owner, and that of each job as `of_jobs` does, with one statement."""
    known, queued = _known_and_queued(rows)
    answer = _read(tx.owner_id, queued)
    return _of_all(answer), known | _of_queued(answer)


def _known_and_queued(rows: Sequence[Revision]) -> tuple[dict[int, JobOutlook], list[int]]:
    """Return the outlook of each job as far as its row shows it, and the jobs whose place in the queue decides."""
    known = {row.pk: of_job(row) for row in rows}
    queued = [
        row.pk for row in rows if row.status in IN_FLIGHT and not row.waiting_for and known[row.pk].seconds is None
    ]
    return known, queued


def _of_queued(answer: Sequence[_Row]) -> dict[int, JobOutlook]:
    return {pk: JobOutlook(seconds=pages / rate if rate else None) for pk, _, pages, rate in answer if pk is not None}


def _of_all(answer: Sequence[_Row]) -> Outlook:
    [(_, documents, pages, pages_per_s)] = [row for row in answer if row[0] is None]
    return Outlook(documents=documents, pages=round(pages), pages_per_s=pages_per_s or None)


def _read(owner_id: int | None, job_ids: Sequence[int] = ()) -> list[_Row]:
    parameters = {
        "owner": owner_id,
        "window": _WINDOW_S,
        "slice": _LONGEST_SLICE_S,
        "between": _BETWEEN_BATCHES_S,
        "in_flight": [status.value for status in IN_FLIGHT],
        "ids": list(job_ids),
    }
    with connection.wrap_database_errors, binary_cursor() as cursor:
        return cursor.execute(_OUTLOOK, parameters).fetchall()
