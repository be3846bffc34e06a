"""Replace the revision that a document shows by a new one, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Count, F, Q
from django.db.models.functions import Now

from accounts.ownership import OwnerTransaction
from accounts.quotas import charge
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.models import Collection, Document, Page, Revision, Status
from collections_app.webhooks import outbox


class PagesMissing(Exception):
    """A revision that claims to be complete is not."""


def publish(lease: Lease, *, timings: dict[str, float]) -> None:
    """Show this complete revision, and delete the revisions it replaces."""
    with lease.transaction() as tx, publishing(tx, lease, timings=timings):
        pass


@contextmanager
def publishing(tx: OwnerTransaction, lease: Lease, *, timings: dict[str, float]) -> Iterator[None]:
    """Publish the revision in this transaction, after the block, which may store its last pages."""
    # Every transaction locks in this order: collection, document, files, revision, usage, webhooks. The lock on the
    # collection also makes readers, who compare `vectors_seq`, see the change and the number together.
    document = _lock(tx, lease)
    yield
    rows = Revision.objects.filter(owner_id=tx.owner_id, pk=lease.revision_id)
    revision = rows.only("metadata", "pages_total", "skipped").get()
    pages = Page.objects.filter(owner_id=tx.owner_id, revision=revision)
    counts = pages.aggregate(all=Count("pk"), without_text=Count("pk", filter=Q(text="")))
    without_text = counts["without_text"]
    lease.end(tx, Status.READY, error=None, waiting_for="", timings=timings, pages_without_text=without_text)
    if not revision.stored_pages or counts["all"] != revision.stored_pages:
        raise PagesMissing
    Document.objects.filter(owner_id=tx.owner_id, pk=document.pk).update(
        shown=revision, metadata=revision.metadata, updated_at=Now()
    )
    if document.shown_id is not None:  # otherwise an upload has deleted what it replaced
        _delete_replaced(tx, document, keep=revision)
    outbox.announce(tx, revision.pk)


def _lock(tx: OwnerTransaction, lease: Lease) -> Document:
    """Lock the collection by changing it, and the document."""
    documents = Document.objects.filter(owner_id=tx.owner_id, revisions=lease.revision_id)
    collections = Collection.objects.filter(owner_id=tx.owner_id, pk__in=documents.values("collection"))
    changed = collections.update(vectors_seq=F("vectors_seq") + 1)
    document = documents.only("pk", "shown_id", "latest_id").select_for_update(of=("self",)).first()
    if not changed or document is None or document.latest_id != lease.revision_id:
        raise LeaseLost
    return document


def _delete_replaced(tx: OwnerTransaction, document: Document, *, keep: Revision) -> None:
    replaced = Revision.objects.filter(owner_id=tx.owner_id, document=document).exclude(pk=keep.pk)
    sizes = dict(replaced.select_for_update().values_list("pk", "size"))
    if sizes:
        pages = Page.objects.filter(owner_id=tx.owner_id, revision__in=sizes).aggregate(n=Count("pk"))["n"]
        Revision.objects.filter(owner_id=tx.owner_id, pk__in=sizes).delete()
        charge(tx, pages=-pages, bytes=-sum(sizes.values()))
