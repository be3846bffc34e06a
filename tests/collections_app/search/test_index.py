"""The index in memory always agrees with the database: after any change, in many threads, and for every owner."""

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from django.db import connection
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.ownership import OwnerTransaction, acting_as_staff, acting_for
from collections_app import catalogue
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.engine.retrieval.files.file_cache import FileCache
from collections_app.engine.retrieval.lru_cache import LruCache
from collections_app.engine.retrieval.segment import Segment
from collections_app.models import Collection, Document, Space
from collections_app.search import index, scope, vector_cache
from collections_app.search.index import Index
from collections_app.search.scope import Scope
from collections_app.search.vector_search import ScoredPages
from collections_app.storage import recode
from tests.cast import Someone
from tests.collections_app.search.by_page import page_ids, search_by_page, store_query_page
from tests.collections_app.search.test_vector_search import NARROW, best, fill
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors


@pytest.fixture(autouse=True)
def empty_index() -> None:
    index.process_index.reset()


def space_id() -> int:
    return Space.objects.get(model=TOY.model).pk


def _change(owner: Someone, chance: Random, number: int) -> None:
    """Make one of the changes that an owner can make."""
    with acting_for(owner.id):
        documents = list(Document.objects.filter(owner_id=owner.id).values_list("collection__name", "name"))
        names = list(Collection.objects.filter(owner_id=owner.id).values_list("name", flat=True))
    collection, name = chance.choice(documents) if documents else ("", "")
    change = chance.choice(
        ["upsert", "upsert", "upsert", "delete", "rename", "move", "move", "rename collection", "empty", "recode"]
    )
    if change == "upsert" or not documents:
        vectors = [random_vectors(chance.randrange(10**6), count=3) for _ in range(chance.randrange(1, 5))]
        with_vectors(owner, f"d{chance.randrange(5)}", vectors, collection=f"c{chance.randrange(3)}")
    elif change == "delete":
        assert owner.delete(f"/v1/documents/{name}/?collection_name={collection}").status_code == 204
    elif change == "rename":
        body = {"name": f"renamed-{number}", "collection_name": collection}
        assert owner.patch(f"/v1/documents/{name}/", body).status_code == 200
    elif change == "move":
        body = {"move_to": chance.choice(names), "collection_name": collection}
        moved = owner.patch(f"/v1/documents/{name}/", body)
        assert moved.status_code == 200 or moved.json()["code"] in ("document_name_taken", "vectors_compact")
    elif change == "rename collection":
        assert owner.patch(f"/v1/collections/{collection}/", {"name": f"moved-{number}"}).status_code == 200
    elif change == "recode":
        with acting_for(owner.id):
            row = Collection.objects.get(owner_id=owner.id, name=chance.choice(names))
        other = VectorStorage.FULL if row.vector_storage == VectorStorage.COMPACT else VectorStorage.COMPACT
        sum(recode.recode(owner.id, row.pk, other))
    else:
        assert owner.delete(f"/v1/collections/{chance.choice(names)}/").status_code == 204


@pytest.mark.parametrize("seed", range(3))
def test_result_after_any_changes_equals_that_of_a_new_process(
    alice: Someone, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)  # noqa: S311
    # One without files, and two that share files, the first of which searches now and then.
    processes = [Index(pages_per_file=4), Index(), Index(pages_per_file=4)]
    for number in range(12):
        _change(alice, chance, number)
        narrow, exact = best(alice, plan=NARROW), best(alice, mode="exact", limit=1000)
        for process in (*processes[chance.randrange(2) :], Index(pages_per_file=4)):
            monkeypatch.setattr(index, "process_index", process)
            assert best(alice, plan=NARROW) == narrow
        with monkeypatch.context() as new_process:
            new_process.setattr(index, "process_index", Index())
            new_process.setattr(vector_cache, "_full", LruCache())
            new_process.setattr(vector_cache, "_file", FileCache())
            assert best(alice, plan=NARROW) == narrow
            assert best(alice, mode="exact", limit=1000) == exact
        with acting_for(alice.id) as tx:
            shown = scope.pages(tx, caller_of(alice), Scope()).values_list("pk", flat=True)
            assert {page_id for page_id, _ in exact.ranked} == set(shown)
            assert exact.in_scope == len(shown)


@pytest.fixture
def shared(alice: Someone, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let a process with small files search, and return its files."""
    settings.ENV = replace(settings.ENV, index_root=tmp_path / "index")
    fill(alice, documents=2, pages=20)
    monkeypatch.setattr(index, "process_index", Index(pages_per_file=4))
    best(alice)
    return [path for path in (tmp_path / "index").rglob("*") if path.is_file()]


def test_new_process_loads_files_instead_of_rows(
    alice: Someone, shared: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, result = pages_loaded(), best(alice, plan=NARROW)
    monkeypatch.setattr(index, "process_index", Index(pages_per_file=4))
    assert best(alice, plan=NARROW) == result
    assert (pages_loaded() - before, len(shared)) == (0, 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, 5000),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.unlink(),
    ],
    ids=["truncated", "overwritten", "deleted"],
)
def test_damage_to_a_file_in_use_changes_no_result(
    alice: Someone, shared: list[Path], damage: Callable[[Path], None]
) -> None:
    result = best(alice, plan=NARROW)
    damage(shared[0])
    assert best(alice, plan=NARROW) == result
    assert shared[0].stat().st_size > 5000


def test_files_in_excess_are_not_mapped(alice: Someone, shared: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_MAX_FILES", 0)
    with_vectors(alice, "other", [random_vectors(number, count=2) for number in range(9)], collection="other")
    best(alice)
    assert sum(len(segment.files) for segment in index.process_index._segments.values()) == len(shared)


def test_part_of_a_segment_has_the_pages_of_the_filtered_documents(alice: Someone) -> None:
    ids = fill(alice, documents=6, pages=25)
    with acting_for(alice.id) as tx:
        last = Document.objects.get(owner_id=alice.id, name="d5")
        _, versions = scope.collection_versions(tx, caller_of(alice), Scope(), TOY)
        (segment,) = index.process_index.segments(tx, versions, space_id=space_id(), dim=TOY.dim)
    part = segment.part(np.array([last.pk]), excluded_page_ids=np.empty(0, dtype=np.int64))
    assert sorted(part.page_ids().tolist()) == ids[-25:]


def test_wrong_segment_reveals_no_pages_of_other_owners(
    alice: Someone, charlie: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the index has them under one's own collection, and row-level security would show them."""
    others = fill(charlie, documents=1, pages=3)
    (own,) = with_vectors(alice, "own", [random_vectors(5, count=2)], collection="filled")
    store_query_page(alice)
    with acting_as_staff():
        with acting_for(charlie.id) as tx:
            _, versions = scope.collection_versions(tx, caller_of(charlie), Scope(), TOY)
            (wrong,) = index.process_index.segments(tx, versions, space_id=space_id(), dim=TOY.dim)
        monkeypatch.setattr(
            Index,
            "_current",
            lambda _self, _owner, versions, _space: dict.fromkeys((each.collection_id for each in versions), wrong),
        )
        hits = set(page_ids(search_by_page(alice, top_k=100)))
    assert set(others) & hits == set()
    assert hits <= {own}


def test_change_without_a_new_version_is_noticed_and_reloaded(alice: Someone) -> None:
    (deleted,) = with_vectors(alice, "x", [random_vectors(0, count=5)])
    (remaining,) = with_vectors(alice, "y", [random_vectors(1, count=5)])
    assert page_ids(search_by_page(alice, top_k=1)) == [deleted]
    with acting_for(alice.id):
        Document.objects.filter(owner_id=alice.id, name="x").delete()
    assert page_ids(search_by_page(alice, top_k=1)) == [remaining]


class _Interrupted(Index):
    """An index that is interrupted once, when a search is about to read it."""

    def __init__(self, change: Callable[[OwnerTransaction], None]) -> None:
        super().__init__()
        self._change = [change]

    def segments(self, tx: OwnerTransaction, *args: Any, **kwargs: Any) -> list[Segment]:
        if self._change:
            self._change.pop()(tx)
        return super().segments(tx, *args, **kwargs)


@pytest.mark.parametrize("known", ["a", "b"])
def test_document_that_is_moved_during_a_search_is_found_once(
    alice: Someone, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    moved = with_vectors(alice, "x", [random_vectors(0, count=5)], collection="a")
    others = with_vectors(alice, "y", [random_vectors(1, count=5)], collection="b")

    def move(tx: OwnerTransaction) -> None:
        # Now the search knows the versions of both, and the process has the contents of one.
        of_one = Scope(collections=frozenset({known}))
        _, versions = scope.collection_versions(tx, caller_of(alice), of_one, TOY)
        index.process_index.segments(tx, versions, space_id=space_id(), dim=TOY.dim)
        document = catalogue.find_document(tx, caller_of(alice), "x", collection_name="a")
        locked, target = catalogue.lock_document_to_move(tx, caller_of(alice), document, to="b")
        catalogue.change_document(tx, locked, new_name=None, metadata=None, collection=target)

    monkeypatch.setattr(index, "process_index", _Interrupted(move))
    found = best(alice, mode="exact")
    assert sorted(page_id for page_id, _ in found.ranked) == sorted([*moved, *others])
    assert found.in_scope == 2


def index_bytes() -> float:
    return REGISTRY.get_sample_value("paliapi_index_bytes") or 0.0


def pages_loaded() -> float:
    return REGISTRY.get_sample_value("paliapi_index_pages_loaded_total") or 0.0


def test_only_new_pages_are_loaded_and_old_segments_are_evicted(alice: Someone, settings: Settings) -> None:
    fill(alice, documents=2, pages=20)
    best(alice)
    before, size = pages_loaded(), index_bytes()
    assert size > 0
    with_vectors(alice, "new", [random_vectors(1, count=2)], collection="filled")
    best(alice)
    assert (pages_loaded() - before, index_bytes() > size) == (1, True)
    best(alice)
    assert pages_loaded() - before == 1
    settings.ENV = replace(settings.ENV, index_mb=0)
    with_vectors(alice, "other", [random_vectors(1, count=2)], collection="other")
    best(alice)
    assert index_bytes() < size


@pytest.fixture
def filled(transactional_db: None, alice: Someone) -> Someone:
    fill(alice, documents=2, pages=30)
    return alice


def test_concurrent_threads_load_once_and_find_the_same(filled: Someone) -> None:
    before = pages_loaded()
    results: list[ScoredPages] = []
    ready = threading.Barrier(6)

    def run() -> None:
        with closing(connection):
            ready.wait()
            results.append(best(filled, plan=NARROW))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(result == results[0] for result in results)
    assert pages_loaded() - before == 60
