"""Multi-vectors in the real Postgres."""

import numpy as np
import pytest
from django.db import DatabaseError, connection
from numpy.typing import NDArray

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.retrieval import multivector
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.models import Collection, Document, Page, PageEmbedding, Space
from collections_app.storage import vectors
from collections_app.storage.vectors import PageVectors
from embeddings.contract import Layout, Word
from tests.cast import Someone
from tests.collections_app.documents import VECTORS, shown_with_pages


def pages_of(who: Someone, document: Document) -> list[int]:
    rows = Page.objects.filter(owner_id=who.id, revision__document=document)
    return list(rows.order_by("number").values_list("pk", flat=True))


def replace_vectors(tx: OwnerTransaction, page_id: int, rows: NDArray[np.float16]) -> None:
    PageEmbedding.objects.filter(owner_id=tx.owner_id, page_id=page_id).delete()
    space, _ = Space.objects.get_or_create(model="another", revision="1", dim=rows.shape[1])
    page = PageVectors(page_id=page_id, space_id=space.pk, vectors=rows, layout={"kind": "boxes", "boxes": [None]})
    vectors.insert(tx, [page])


def test_vectors_are_read_as_they_were_inserted(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=2)
    numbers = np.random.default_rng(1).normal(size=(1030, 128)).astype(np.float16)
    with acting_for(alice.id) as tx:
        first, second = pages_of(alice, document)
        replace_vectors(tx, first, numbers)
        stored = vectors.read(tx, [first, second])
    assert np.array_equal(stored[first], numbers)
    assert np.array_equal(stored[second], VECTORS)


def test_encoding_is_that_of_postgres(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    numbers = np.array([[1, -0.5, 0.0078125], [65504, 6e-8, -0.0]], dtype=np.float16)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        replace_vectors(tx, page, numbers)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT vectors::text, array_send(vectors), 'halfvec'::regtype::oid::int8 "
                "FROM collections_app_pageembedding WHERE page_id = %s",
                [page],
            )
            ((text, wire, oid),) = cursor.fetchall()
    assert text == '{"[1,-0.5,0.0078125]","[65504,5.9604645e-08,-0]"}'
    assert bytes(wire) == multivector.encode(numbers, element_oid=oid)


def test_vectors_are_copied_with_layout_and_sketch(alice: Someone) -> None:
    source = shown_with_pages(alice, "one.pdf", pages=1)
    target = shown_with_pages(alice, "two.pdf", pages=2)
    with acting_for(alice.id) as tx:
        (from_page,), (first, second) = pages_of(alice, source), pages_of(alice, target)
        replace_vectors(tx, from_page, np.full((2, 3), 0.5, dtype=np.float16))
        PageEmbedding.objects.filter(owner_id=alice.id, page_id__in=[first, second]).delete()
        assert vectors.copy(tx, {first: from_page, second: from_page})
        stored = vectors.read(tx, [first, second])
        rows = PageEmbedding.objects.filter(owner_id=alice.id, page_id__in=[from_page, first, second])
        assert len(set(rows.values_list("pooled", "sketch"))) == 1
        layouts = set(map(str, PageEmbedding.objects.filter(owner_id=alice.id).values_list("layout", flat=True)))
    assert [vector.shape for vector in stored.values()] == [(2, 3), (2, 3)]
    assert layouts == {"{'kind': 'boxes', 'boxes': [None]}"}


def test_copy_reports_a_missing_source(alice: Someone) -> None:
    document = shown_with_pages(alice, "one.pdf", pages=1)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        PageEmbedding.objects.filter(owner_id=alice.id).delete()
        assert not vectors.copy(tx, {page: page + 1_000_000})


def test_vectors_of_another_owner_are_neither_copied_nor_read(alice: Someone, charlie: Someone) -> None:
    theirs = shown_with_pages(charlie, "theirs.pdf", pages=1)
    with acting_for(charlie.id):
        (their_page,) = pages_of(charlie, theirs)
    document = shown_with_pages(alice, "mine.pdf", pages=1)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        PageEmbedding.objects.filter(owner_id=alice.id).delete()
        assert not vectors.copy(tx, {page: their_page})
        assert vectors.read(tx, [their_page]) == {}


def test_database_rejects_nan(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    rejected = pytest.raises(DatabaseError, match="NaN not allowed")
    with rejected, acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        replace_vectors(tx, page, np.array([[np.nan]], dtype=np.float16))


@pytest.mark.django_db
def test_vectors_are_stored_out_of_line_and_uncompressed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'collections_app_pageembedding'::regclass "
            "AND attname = 'vectors'"
        )
        assert cursor.fetchone() == ("e",)


def test_unreadable_vectors_are_skipped(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=2)
    with acting_for(alice.id) as tx:
        first, second = pages_of(alice, document)
        PageEmbedding.objects.filter(page_id=first).update(pooled=b"?")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE collections_app_pageembedding SET vectors = '{}' WHERE page_id = %s", [first])
        assert list(vectors.read(tx, [first, second])) == [second]
        assert list(vectors.read_pooled(tx, [first, second], dim=4)) == [second]


def test_vectors_with_other_dimensions_are_not_read(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    with acting_for(alice.id) as tx:
        ids = pages_of(alice, document)
        assert list(vectors.read(tx, ids, dim=4)) == ids
        assert vectors.read(tx, ids, dim=5) == {}


def test_layout_and_words_are_read_with_the_vectors(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    word = Word("total", 0.25, 0.25, 0.5, 0.5)
    with acting_for(alice.id) as tx:
        (page_id,) = pages_of(alice, document)
        PageEmbedding.objects.filter(page_id=page_id).delete()
        space = Space.objects.get()
        layout: Layout = {"kind": "boxes", "boxes": [None] * len(VECTORS)}
        vectors.insert(
            tx, [PageVectors(page_id=page_id, space_id=space.pk, vectors=VECTORS, layout=layout, words=[word])]
        )
        read = vectors.read_with_layout(tx, [page_id])[page_id]
    assert np.array_equal(read.vectors, VECTORS)
    assert read.layout == layout
    assert [read_word.text for read_word in read.words] == ["total"]


def set_storage(who: Someone, storage: VectorStorage) -> None:
    Collection.objects.filter(owner_id=who.id).update(vector_storage=storage)


def test_compact_collection_stores_codes_alone(alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    numbers = np.random.default_rng(1).normal(size=(1030, 128)).astype(np.float16)
    with acting_for(alice.id) as tx:
        set_storage(alice, VectorStorage.COMPACT)
        (page,) = pages_of(alice, document)
        replace_vectors(tx, page, numbers)
        row = PageEmbedding.objects.values_list("vectors", "codes").get(pk=page)
        assert (row[0], bytes(row[1] or b"")) == (None, codec.encode(numbers).data.tobytes())
        decoded = codec.decode(codec.encode(numbers))
        assert np.array_equal(vectors.read(tx, [page])[page], decoded)
        assert np.array_equal(vectors.read_with_layout(tx, [page])[page].vectors, decoded)
        assert vectors.vectors_per_page(tx, Collection.objects.get(owner_id=alice.id)) == 1030
        with pytest.raises(vectors.OnlyCodes):
            vectors.read_full(tx, [page], dim=128)


def test_page_has_its_vectors_in_exactly_one_form(alice: Someone) -> None:
    shown_with_pages(alice, "report.pdf", pages=1)
    for change in ({"codes": b"1"}, {"vectors": None}):
        with pytest.raises(DatabaseError, match="page_vectors_in_one_form"), acting_for(alice.id):
            PageEmbedding.objects.filter(owner_id=alice.id).update(**change)


def test_copies_take_the_form_of_their_collection(alice: Someone) -> None:
    """Codes are not copied to a full collection, because its vectors would be less precise than others."""
    document = shown_with_pages(alice, "one.pdf", pages=3)
    numbers = np.random.default_rng(1).normal(size=(40, 16)).astype(np.float16)
    with acting_for(alice.id) as tx:
        first, second, third = pages_of(alice, document)
        replace_vectors(tx, first, numbers)
        PageEmbedding.objects.filter(owner_id=alice.id, page_id__in=[second, third]).delete()
        set_storage(alice, VectorStorage.COMPACT)
        assert vectors.copy(tx, {second: first})
        assert vectors.copy(tx, {third: second})
        rows = dict(PageEmbedding.objects.filter(owner_id=alice.id).values_list("pk", "codes"))
        assert rows[first] is None
        assert bytes(rows[second] or b"") == bytes(rows[third] or b"") == codec.encode(numbers).data.tobytes()
        PageEmbedding.objects.filter(owner_id=alice.id, page_id=third).delete()
        set_storage(alice, VectorStorage.FULL)
        assert not vectors.copy(tx, {third: second})


def test_damaged_codes_count_as_unreadable(alice: Someone) -> None:
    document = shown_with_pages(alice, "one.pdf", pages=1)
    with acting_for(alice.id) as tx:
        (page,) = pages_of(alice, document)
        assert vectors.convert(tx, [page], VectorStorage.COMPACT) == 1
        PageEmbedding.objects.filter(pk=page).update(codes=b"?")
        assert vectors.read(tx, [page]) == vectors.read_codes(tx, [page], dim=4) == {}
        assert vectors.convert(tx, [page], VectorStorage.FULL) == 0
