"""Sketches come back from the vectors, and what is not in order is told."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.ownership import acting_for
from collections_app.engine.retrieval.sketch import small
from collections_app.models import Collection, Page, PageEmbedding
from collections_app.storage import files, rebuild
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, with_vectors

VECTORS = [random_vectors(number, count=5) for number in range(3)]


def kept(who: Someone) -> list[tuple[bytes | None, bytes | None]]:
    with acting_for(who.id):
        rows = PageEmbedding.objects.filter(owner_id=who.id).order_by("pk").values_list("pooled", "sketch")
        return [(bytes(pooled) if pooled else None, bytes(signs) if signs else None) for pooled, signs in rows]


def numbers(who: Someone) -> tuple[int, int]:
    with acting_for(who.id):
        found = Collection.objects.get(owner_id=who.id)
        return found.vectors_seq, found.sketches_seq


def spoil(who: Someone, page_id: int, **values: bytes | None) -> None:
    with acting_for(who.id):
        PageEmbedding.objects.filter(owner_id=who.id, pk=page_id).update(**values)


def test_what_is_missing_is_made_again_and_searches_are_told(alice: Someone) -> None:
    first, second, _ = with_vectors(alice, "x", VECTORS)
    before, (seq, _) = kept(alice), numbers(alice)
    spoil(alice, first, pooled=None, sketch=None)
    spoil(alice, second, pooled=None)
    told = StringIO()
    call_command("rebuild_sketches", stdout=told)
    assert "Rebuilt the sketches of 2 pages." in told.getvalue()
    assert kept(alice) == before == [(small(one).pooled, small(one).sketch) for one in VECTORS]
    assert numbers(alice) == (seq + 1, seq + 1)
    assert list(rebuild.rebuild_sketches(everything=False)) == []
    assert numbers(alice) == (seq + 1, seq + 1)
    assert [made for _, made in rebuild.rebuild_sketches(everything=True)] == [3]


def test_all_is_well_where_nothing_was_touched(alice: Someone, charlie: Someone) -> None:
    with_vectors(alice, "x", [*VECTORS, None])
    with_vectors(charlie, "y", VECTORS)
    told = StringIO()
    call_command("verify_index", stdout=told)
    assert "pages: 7" in told.getvalue()
    assert "without vectors: 1" in told.getvalue()


def test_every_damage_is_counted_and_ends_with_1(alice: Someone) -> None:
    missing, wrong, empty, lost = with_vectors(alice, "x", [*VECTORS, VECTORS[0]])
    spoil(alice, missing, sketch=None)
    spoil(alice, wrong, sketch=b"\1\1\1\0")
    with acting_for(alice.id), connection.cursor() as cursor:
        cursor.execute("UPDATE collections_app_pageembedding SET vectors = '{}' WHERE page_id = %s", [empty])
        files.storage().delete(Page.objects.select_related("image").get(pk=lost).image.key)
    verdict = rebuild.verify_index()
    assert (verdict.without_sketch, verdict.wrong_sketch, verdict.unreadable_vectors) == (1, 1, 1)
    assert verdict.without_file == 4  # they look the same, so they have one file
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_index", stdout=StringIO(), stderr=StringIO())
