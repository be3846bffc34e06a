"""Sketches read from Postgres for the in-memory index."""

import numpy as np
import pytest

from accounts.ownership import acting_for
from collections_app.models import Document, Page, PageEmbedding, Space
from collections_app.storage import sketches
from tests.cast import Someone
from tests.collections_app.documents import shown_with_pages


def page_ids_of(document: Document) -> list[int]:
    return list(Page.objects.filter(revision__document=document).order_by("pk").values_list("pk", flat=True))


def test_tables_have_the_shown_revisions_of_each_collection(alice: Someone, charlie: Someone) -> None:
    first = shown_with_pages(alice, "a.pdf", pages=2, collection="reports")
    second = shown_with_pages(alice, "b.pdf", pages=1, collection="reports")
    shown_with_pages(charlie, "c.pdf", pages=1, collection="reports")
    with acting_for(alice.id) as tx:
        contents = sketches.load_contents(tx, [first.collection_id, first.collection_id + 1_000_000])
        revisions = [Document.objects.get(pk=row.pk).shown_id for row in (first, second)]
    assert [each.seq for each in contents.values()] == [2, 0]
    reports, unknown = (each.revisions for each in contents.values())
    assert reports.revision_ids.tolist() == revisions
    assert reports.document_ids.tolist() == [first.pk, second.pk]
    assert reports.page_counts.tolist() == [2, 1]
    assert len(unknown.revision_ids) == 0


@pytest.mark.parametrize("pages_per_query", [1, 20_000])
def test_sketches_are_loaded_in_batches(alice: Someone, monkeypatch: pytest.MonkeyPatch, pages_per_query: int) -> None:
    monkeypatch.setattr(sketches, "_PAGES_PER_QUERY", pages_per_query)
    documents = [shown_with_pages(alice, name, pages=2) for name in ("a.pdf", "b.pdf")]
    with acting_for(alice.id) as tx:
        page_ids = [page_id for document in documents for page_id in page_ids_of(document)]
        PageEmbedding.objects.filter(pk=page_ids[0]).update(sketch=None)
        table = sketches.load_contents(tx, [documents[0].collection_id])[documents[0].collection_id].revisions
        space = Space.objects.get()
        batches = list(
            sketches.load_sketches(
                tx, space.pk, dim=space.dim, revision_ids=table.revision_ids, page_counts=table.page_counts
            )
        )
    assert len(batches) == (2 if pages_per_query == 1 else 1)
    assert np.concatenate([batch.block.page_ids for batch in batches]).tolist() == page_ids[1:]
    assert np.concatenate([batch.unsketched.page_ids for batch in batches]).tolist() == page_ids[:1]


def test_pages_of_another_owner_are_not_loaded(alice: Someone, charlie: Someone) -> None:
    document = shown_with_pages(charlie, "c.pdf", pages=1)
    with acting_for(charlie.id) as tx:
        table = sketches.load_contents(tx, [document.collection_id])[document.collection_id].revisions
        space = Space.objects.get()
    with acting_for(alice.id) as tx:
        (batch,) = sketches.load_sketches(
            tx, space.pk, dim=space.dim, revision_ids=table.revision_ids, page_counts=table.page_counts
        )
        assert len(batch.block.page_ids) == len(batch.unsketched.page_ids) == 0
        contents = sketches.load_contents(tx, [document.collection_id])[document.collection_id]
        assert (contents.seq, len(contents.revisions.revision_ids)) == (0, 0)
