"""Bytes that a page takes in Postgres in each stored form, and the time to read one; `compact` runs it in Django."""

import json
import sys
import time

from django.db import connection

from accounts.ownership import acting_for
from benchmarks.harness import steal_time
from benchmarks.search import fill
from benchmarks.search.synthetic import VECTORS, World, documents
from collections_app import catalogue
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.models import Page, PageEmbedding
from collections_app.storage import vectors

PAGES = 200
_AT_ONCE = 16
_ROUNDS = 7


def main() -> None:
    """Fill a collection of each form, measure, and print JSON."""
    caller = fill.owner("compact@benchmarks.example")
    world = World()
    pages = [page for document in documents(world, PAGES) for page in document.pages()]
    figures: dict[str, float] = {"pages": PAGES, "vectors": VECTORS}
    for form in VectorStorage:
        before = _bytes()
        with acting_for(caller.owner_id) as tx:
            catalogue.create_collection(tx, caller, name=form, metadata={}, vector_storage=form)
        fill.put(fill.Shelf(caller, form), pages)
        figures[f"{form}_bytes"] = round((_bytes() - before) / PAGES)
    ids = {form: _page_ids(caller.owner_id, form) for form in VectorStorage}

    def once() -> dict[VectorStorage, float]:
        return {form: _read_s(caller.owner_id, ids[form], form) for form in VectorStorage}

    once()
    rounds = steal_time.rounds(once, count=_ROUNDS)
    for form in VectorStorage:
        figures[f"{form}_read_us"] = round(1e6 * min(one.value[form] for one in rounds) / PAGES, 1)
    figures["read_stolen_percent"] = steal_time.percent(rounds)
    sys.stdout.write(json.dumps(figures))


def _bytes() -> float:
    """Return what the tables of pages and their vectors take, with indexes and TOAST."""
    tables = (Page._meta.db_table, PageEmbedding._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(name)) FROM unnest(%s::text[]) AS name", [list(tables)])
        return float(cursor.fetchone()[0])


def _page_ids(owner_id: int, collection: str) -> list[int]:
    with acting_for(owner_id):
        rows = Page.objects.filter(owner_id=owner_id, revision__document__collection__name=collection)
        return list(rows.order_by("pk").values_list("pk", flat=True))


def _read_s(owner_id: int, page_ids: list[int], form: VectorStorage) -> float:
    read = vectors.read_codes if form == VectorStorage.COMPACT else vectors.read_full
    with acting_for(owner_id) as tx:
        began = time.perf_counter()
        for start in range(0, len(page_ids), _AT_ONCE):
            if len(read(tx, page_ids[start : start + _AT_ONCE], dim=128)) == 0:
                raise SystemExit("Pages were not stored.")
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
