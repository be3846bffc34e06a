"""Multi-vectors in the real Postgres."""

import numpy as np
import pytest
from django.db import DatabaseError, connection
from numpy.typing import NDArray

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.retrieval import multivector
from collections_app.models import Document, Page, PageEmbedding, Space
from collections_app.storage import vectors
from collections_app.storage.vectors import PageVectors
from tests.cast import Someone
from tests.collections_app.documents import VECTORS, shown_with_pages


def pages_of(who: Someone, document: Document) -> list[int]:
    rows = Page.objects.filter(owner_id=who.id, revision__document=document)
    return list(rows.order_by("number").values_list("pk", flat=True))


def replaced(tx: OwnerTransaction, page_id: int, found: NDArray[np.float16]) -> None:
    PageEmbedding.objects.filter(owner_id=tx.owner_id, page_id=page_id).delete()
    space, _ = Space.objects.get_or_create(model="another", revision="1", dim=found.shape[1])
    page = PageVectors(page_id=page_id, space_id=space.pk, vectors=found, layout={"kind": "boxes", "boxes": [None]})
    vectors.insert(tx, [page])


def test_what_is_kept_comes_back_the_same(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=2)
    numbers = np.random.default_rng(1).normal(size=(1030, 128)).astype(np.float16)
    with acting_for(alice.id) as tx:
        first, second = pages_of(alice, document)
        replaced(tx, first, numbers)
        found = vectors.read(alice.id, [first, second])
    assert np.array_equal(found[first], numbers)
    assert np.array_equal(found[second], VECTORS)


def test_postgres_reads_the_same_numbers_and_sends_the_same_bytes(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    numbers = np.array([[1, -0.5, 0.0078125], [65504, 6e-8, -0.0]], dtype=np.float16)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        replaced(tx, page, numbers)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT vectors::text, array_send(vectors), 'halfvec'::regtype::oid::int8 "
                "FROM collections_app_pageembedding WHERE page_id = %s",
                [page],
            )
            ((text, wire, oid),) = cursor.fetchall()
    assert text == '{"[1,-0.5,0.0078125]","[65504,5.9604645e-08,-0]"}'
    assert bytes(wire) == multivector.encode(numbers, element_oid=oid)


def test_pages_take_over_the_vectors_of_others(alice: Someone) -> None:
    source = shown_with_pages(alice, "one.pdf", pages=1)
    target = shown_with_pages(alice, "two.pdf", pages=2)
    with acting_for(alice.id) as tx:
        (from_page,), (first, second) = pages_of(alice, source), pages_of(alice, target)
        replaced(tx, from_page, np.full((2, 3), 0.5, dtype=np.float16))
        PageEmbedding.objects.filter(owner_id=alice.id, page_id__in=[first, second]).delete()
        assert vectors.copy(tx, {first: from_page, second: from_page})
        found = vectors.read(alice.id, [first, second])
        rows = PageEmbedding.objects.filter(owner_id=alice.id, page_id__in=[from_page, first, second])
        assert len(set(rows.values_list("pooled", "sketch"))) == 1
        layouts = set(map(str, PageEmbedding.objects.filter(owner_id=alice.id).values_list("layout", flat=True)))
    assert [vector.shape for vector in found.values()] == [(2, 3), (2, 3)]
    assert layouts == {"{'kind': 'boxes', 'boxes': [None]}"}


def test_taking_over_from_a_page_that_is_gone_is_told(alice: Someone) -> None:
    document = shown_with_pages(alice, "one.pdf", pages=1)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        PageEmbedding.objects.filter(owner_id=alice.id).delete()
        assert not vectors.copy(tx, {page: page + 1_000_000})


def test_nobody_takes_over_what_is_a_strangers(alice: Someone, charlie: Someone) -> None:
    theirs = shown_with_pages(charlie, "theirs.pdf", pages=1)
    with acting_for(charlie.id):
        (their_page,) = pages_of(charlie, theirs)
    document = shown_with_pages(alice, "mine.pdf", pages=1)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        PageEmbedding.objects.filter(owner_id=alice.id).delete()
        assert not vectors.copy(tx, {page: their_page})
        assert vectors.read(alice.id, [their_page]) == {}


def test_numbers_that_are_none_are_refused_by_the_database(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    refusal = pytest.raises(DatabaseError, match="NaN not allowed")
    with refusal, acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        replaced(tx, page, np.array([[np.nan]], dtype=np.float16))


@pytest.mark.django_db
def test_vectors_lie_outside_the_row_and_uncompressed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'collections_app_pageembedding'::regclass "
            "AND attname = 'vectors'"
        )
        assert cursor.fetchone() == ("e",)
