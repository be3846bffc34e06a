"""Rebuilding sketches from vectors, and checking the index."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.ownership import acting_for
from collections_app.engine.retrieval.sketch import compact_forms
from collections_app.models import Collection, Page, PageEmbedding
from collections_app.storage import files, rebuild
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, with_vectors

VECTORS = [random_vectors(number, count=5) for number in range(3)]


def stored_sketches(who: Someone) -> list[tuple[bytes | None, bytes | None]]:
    with acting_for(who.id):
        rows = PageEmbedding.objects.filter(owner_id=who.id).order_by("pk").values_list("pooled", "sketch")
        return [(bytes(pooled) if pooled else None, bytes(signs) if signs else None) for pooled, signs in rows]


def sequence_numbers(who: Someone) -> tuple[int, int]:
    with acting_for(who.id):
        collection = Collection.objects.get(owner_id=who.id)
        return collection.vectors_seq, collection.sketches_seq


def damage(who: Someone, page_id: int, **values: bytes | None) -> None:
    with acting_for(who.id):
        PageEmbedding.objects.filter(owner_id=who.id, pk=page_id).update(**values)


def test_missing_sketches_are_rebuilt_and_indexes_invalidated(alice: Someone) -> None:
    first, second, _ = with_vectors(alice, "x", VECTORS)
    before, (seq, _) = stored_sketches(alice), sequence_numbers(alice)
    damage(alice, first, pooled=None, sketch=None)
    damage(alice, second, pooled=None)
    output = StringIO()
    call_command("rebuild_sketches", stdout=output)
    assert "Rebuilt the sketches of 2 pages." in output.getvalue()
    assert (
        stored_sketches(alice) == before == [(compact_forms(one).pooled, compact_forms(one).sketch) for one in VECTORS]
    )
    assert sequence_numbers(alice) == (seq + 1, seq + 1)
    assert list(rebuild.rebuild_sketches(everything=False)) == []
    assert sequence_numbers(alice) == (seq + 1, seq + 1)
    assert [pages for _, pages in rebuild.rebuild_sketches(everything=True)] == [3]


def test_intact_index_passes_the_check(alice: Someone, charlie: Someone) -> None:
    with_vectors(alice, "x", [*VECTORS, None])
    with_vectors(charlie, "y", VECTORS)
    output = StringIO()
    call_command("verify_index", stdout=output)
    assert "pages: 7" in output.getvalue()
    assert "without vectors: 1" in output.getvalue()


def test_damage_is_counted_and_exits_with_status_1(alice: Someone) -> None:
    missing, wrong, empty, lost = with_vectors(alice, "x", [*VECTORS, VECTORS[0]])
    damage(alice, missing, sketch=None)
    damage(alice, wrong, sketch=b"\1\1\1\0")
    with acting_for(alice.id), connection.cursor() as cursor:
        cursor.execute("UPDATE collections_app_pageembedding SET vectors = '{}' WHERE page_id = %s", [empty])
        files.storage().delete(Page.objects.select_related("image").get(pk=lost).image.key)
    report = rebuild.verify_index()
    assert (report.without_sketch, report.wrong_sketch, report.unreadable_vectors) == (1, 1, 1)
    assert report.without_file == 4  # the pages look the same, so they share one file
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_index", stdout=StringIO(), stderr=StringIO())
