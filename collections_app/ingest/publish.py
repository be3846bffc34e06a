"""Replace the revision that a document shows by a new one, in one transaction."""

import json
from dataclasses import dataclass
from typing import Self

from django.db.models import Count

from accounts.ownership import OwnerTransaction
from accounts.quotas import charge
from collections_app.ingest.leases import Changes, Lease, LeaseLost
from collections_app.models import Collection, Document, Page, Revision, Status
from collections_app.webhooks import outbox
from paliapi.database import Command, Row, execute_together, statement

# Every transaction locks in this order: collection, document, files, revision, usage, webhooks. The lock on the
# collection also makes readers, who compare `vectors_seq`, see the change and the number together.
_LOCK_COLLECTION = statement(
    "UPDATE {collections} SET vectors_seq = vectors_seq + 1 WHERE owner_id = %s AND id = (SELECT d.collection_id "
    "FROM {revisions} AS r JOIN {documents} AS d ON d.id = r.document_id WHERE r.owner_id = %s AND r.id = %s) "
    "RETURNING id",
    collections=Collection,
    documents=Document,
    revisions=Revision,
)
_LOCK_DOCUMENT = statement(
    "SELECT d.id, d.shown_id, d.latest_id, d.collection_id FROM {documents} AS d WHERE d.owner_id = %s "
    "AND d.id = (SELECT r.document_id FROM {revisions} AS r WHERE r.owner_id = %s AND r.id = %s) FOR UPDATE",
    documents=Document,
    revisions=Revision,
)
_READY = statement(
    "status = %s, error = NULL, waiting_for = '', lease_token = NULL, lease_until = NULL, "
    "pages_without_text = (SELECT count(*) FROM {pages} WHERE owner_id = %s AND revision_id = %s AND text = '')",
    pages=Page,
)
_MISSING_PAGES = statement(
    "pages_total - jsonb_array_length(skipped) AS expected, "
    "(SELECT count(*) FROM {pages} WHERE owner_id = %s AND revision_id = %s) AS stored",
    pages=Page,
)
_SHOW = statement(
    "UPDATE {documents} AS d SET shown_id = r.id, metadata = r.metadata, updated_at = statement_timestamp() "
    "FROM {revisions} AS r WHERE d.owner_id = %s AND d.id = %s AND r.owner_id = %s AND r.id = %s",
    documents=Document,
    revisions=Revision,
)


class RetryStore(Exception):
    """A row or file is not where it was a moment ago. Nothing was written, and a retry may well succeed."""


class PagesMissing(Exception):
    """A revision that claims to be complete is not."""


def publish(lease: Lease, *, timings: dict[str, float]) -> None:
    """Show this complete revision, and delete the revisions it replaces."""
    with lease.transaction(*locking(lease), lease.lock()) as tx:
        publication = Publication.begin(tx, lease)
        lease.require(tx.read(lease.lock()))
        commands = publication.commands(Changes(b"timings = %s::jsonb", (json.dumps(timings),)))
        publication.finish(execute_together(*commands))


def locking(lease: Lease) -> list[Command]:
    """Return the statements for `Publication.begin`, which a transaction may begin with."""
    values = (lease.owner_id, lease.owner_id, lease.revision_id)
    return [Command(_LOCK_COLLECTION, values), Command(_LOCK_DOCUMENT, values)]


@dataclass(frozen=True, slots=True)
class Publication:
    """The publication of a revision, in a transaction that has locked what it changes."""

    tx: OwnerTransaction
    lease: Lease
    document_id: int
    shown_id: int | None

    @classmethod
    def begin(cls, tx: OwnerTransaction, lease: Lease) -> Self:
        """Lock the collection by changing it, and the document.

        LeaseLost if the document has a newer revision; RetryStore if it was moved to another collection meanwhile.
        """
        changed, documents = [tx.read(command) for command in locking(lease)]
        for document_id, shown_id, latest_id, collection_id in documents:
            if changed and latest_id == lease.revision_id:
                if changed != [(collection_id,)]:
                    raise RetryStore
                return cls(tx, lease, document_id, shown_id)
        raise LeaseLost

    def commands(self, changes: Changes) -> list[Command]:
        """Return the statements that show the revision, with other changes of it; pass their rows to `finish`."""
        revision = (self.lease.owner_id, self.lease.revision_id)
        ready = Changes(b"%s, %s" % (changes.sql, _READY), (*changes.values, Status.READY, *revision))
        return [
            self.lease.change(ready, returning=Changes(_MISSING_PAGES, revision)),
            Command(_SHOW, (self.lease.owner_id, self.document_id, *revision)),
            outbox.subscribed(self.tx),
        ]

    def finish(self, results: list[list[Row]]) -> None:
        """Check what the statements returned, delete what is replaced, and announce the revision."""
        revisions, _, endpoints = results
        self.lease.require(revisions)
        for expected, stored in revisions:
            if not expected or stored != expected:
                raise PagesMissing
        if self.shown_id is not None:  # otherwise an upload has deleted what it replaced
            self._delete_replaced()
        if endpoints:
            outbox.announce(self.tx, self.lease.revision_id)

    def _delete_replaced(self) -> None:
        owner_id = self.tx.owner_id
        replaced = Revision.objects.filter(owner_id=owner_id, document=self.document_id)
        replaced = replaced.exclude(pk=self.lease.revision_id)
        sizes = dict(replaced.select_for_update().values_list("pk", "size"))
        if sizes:
            pages = Page.objects.filter(owner_id=owner_id, revision__in=sizes).aggregate(n=Count("pk"))["n"]
            Revision.objects.filter(owner_id=owner_id, pk__in=sizes).delete()
            charge(self.tx, pages=-pages, bytes=-sum(sizes.values()))
