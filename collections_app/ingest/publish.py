"""The moment at which a new content takes the place of the old one: one transaction, or nothing."""

from django.db.models import Count, Sum
from django.db.models.functions import Now

from accounts.ownership import acting_for
from accounts.quotas import charge
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.models import Collection, Document, Page, Revision, Status
from collections_app.webhooks import outbox


class PagesMissing(Exception):
    """A revision says that it is whole and is not."""


def publish(lease: Lease, *, timings: dict[str, float]) -> None:
    """Show this revision, whose pages are all there, and let go of what the document showed before."""
    owner_id = lease.owner_id
    with acting_for(owner_id):
        # Locks in the order of everybody: collection, document, revision, usage, webhooks. The first also makes
        # readers, who compare `vectors_seq`, see the change and the number together.
        collection, document = _locked(lease)
        revision = Revision.objects.get(owner_id=owner_id, pk=lease.revision_id)
        lease.end(Status.READY, error=None, waiting_for="", timings=timings)
        pages = Page.objects.filter(owner_id=owner_id, revision=revision)
        if not revision.pages_kept or pages.count() != revision.pages_kept:
            raise PagesMissing
        collection.vectors_seq += 1
        collection.save(update_fields=["vectors_seq"])
        document.shown, document.metadata, document.updated_at = revision, revision.metadata, Now()
        document.save(update_fields=["shown", "metadata", "updated_at"])
        _let_go(document, but=revision)
        outbox.announce(owner_id, revision.pk)


def _locked(lease: Lease) -> tuple[Collection, Document]:
    mine = {"owner_id": lease.owner_id, "revisions": lease.revision_id}
    found = Document.objects.filter(**mine).values_list("collection_id", flat=True).first()
    collections = Collection.objects.filter(owner_id=lease.owner_id, pk=found or 0)
    collection = collections.select_for_update(no_key=True).first()
    document = Document.objects.filter(**mine).select_for_update(of=("self",)).first()
    if collection is None or document is None or document.latest_id != lease.revision_id:
        raise LeaseLost
    return collection, document


def _let_go(document: Document, *, but: Revision) -> None:
    others = Revision.objects.filter(owner_id=document.owner_id, document=document).exclude(pk=but.pk)
    ids = list(others.select_for_update().values_list("pk", flat=True))
    size = Revision.objects.filter(owner_id=document.owner_id, pk__in=ids).aggregate(n=Sum("size"))["n"] or 0
    pages = Page.objects.filter(owner_id=document.owner_id, revision__in=ids).aggregate(n=Count("pk"))["n"]
    Revision.objects.filter(owner_id=document.owner_id, pk__in=ids).delete()
    charge(document.owner_id, pages=-pages, bytes=-size)
