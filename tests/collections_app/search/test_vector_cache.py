"""Cached vectors equal the stored ones, are separated by owner, bounded in size, and not inherited by a fork."""

import os
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import CodedPage, VectorStorage
from collections_app.search import vector_cache
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, with_vectors

PAGES = [random_vectors(seed, count=600) for seed in range(8)]
FORM = vector_cache.VectorForm()
DIM = PAGES[0].shape[1]


@pytest.fixture(autouse=True)
def empty_caches() -> None:
    for cache in (vector_cache._full, vector_cache._pooled, vector_cache._file):
        cache.reset()


def reads_from(where: str, form: str) -> float:
    return REGISTRY.get_sample_value("paliapi_vectors_read_total", {"form": form, "where": where}) or 0.0


def test_vectors_are_read_from_the_database_once(alice: Someone) -> None:
    ids = with_vectors(alice, "x", PAGES)
    before = reads_from("database", "whole"), reads_from("database", "pooled")
    with acting_for(alice.id) as tx:
        first = vector_cache.read(tx, ids, dim=DIM, form=FORM), vector_cache.read_pooled(tx, ids, dim=DIM)
        full, pooled = vector_cache.read(tx, ids, dim=DIM, form=FORM), vector_cache.read_pooled(tx, ids, dim=DIM)
    assert [list(pages) for pages in first] == [ids, ids]
    assert list(full) == list(pooled) == ids
    assert all(np.array_equal(np.asarray(full[page_id]), stored) for page_id, stored in zip(ids, PAGES, strict=True))
    assert (reads_from("database", "whole"), reads_from("database", "pooled")) == (before[0] + 8, before[1] + 8)


def test_cached_vectors_of_other_owners_are_not_returned(alice: Someone, charlie: Someone) -> None:
    ids = with_vectors(alice, "x", PAGES[:2])
    with acting_for(alice.id) as tx:
        assert vector_cache.read(tx, ids, dim=DIM, form=FORM)
    with acting_for(charlie.id) as tx:
        assert vector_cache.read(tx, ids, dim=DIM, form=FORM) == {}
        assert vector_cache.read_pooled(tx, ids, dim=DIM) == {}


def test_cache_in_memory_is_bounded(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, vectors_cache_mb=1)
    ids = with_vectors(alice, "x", PAGES)
    with acting_for(alice.id) as tx:
        for page_id in ids * 2:
            assert list(vector_cache.read(tx, [page_id], dim=DIM, form=FORM)) == [page_id]
    assert 0 < vector_cache._full.nbytes <= 3 * 2**20 // 4


@pytest.mark.parametrize(("file_mb", "from_file"), [(0, 0), (1, 8)])
def test_evicted_vectors_are_read_from_the_file_if_there_is_one(
    alice: Someone, settings: Settings, file_mb: int, from_file: int
) -> None:
    settings.ENV = replace(settings.ENV, vectors_file_mb=file_mb)
    ids = with_vectors(alice, "x", PAGES)
    before = reads_from("file", "whole"), reads_from("database", "whole")
    with acting_for(alice.id) as tx:
        for _ in range(2):
            pages = vector_cache.read(tx, ids, dim=DIM, form=FORM)
            assert all(
                np.array_equal(np.asarray(pages[page_id]), stored) for page_id, stored in zip(ids, PAGES, strict=True)
            )
            vector_cache._full.reset()
    reads = reads_from("file", "whole") - before[0], reads_from("database", "whole") - before[1]
    assert reads == (from_file, 16 - from_file)


def test_vectors_of_other_dimensions_are_left_out(alice: Someone) -> None:
    ids = with_vectors(alice, "x", PAGES[:1])
    with acting_for(alice.id) as tx:
        assert vector_cache.read(tx, ids, dim=DIM + 1, form=FORM) == {}
        assert vector_cache.read_pooled(tx, ids, dim=DIM + 1) == {}


def test_forked_process_starts_with_empty_caches(alice: Someone) -> None:
    ids = with_vectors(alice, "x", PAGES[:1])
    with acting_for(alice.id) as tx:
        vector_cache.read(tx, ids, dim=DIM, form=FORM)
    caches = (vector_cache._full, vector_cache._file)
    assert all(cache.nbytes > 0 for cache in caches)
    child = os.fork()
    if not child:
        os._exit(any(cache.nbytes for cache in caches))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_codes_are_cached_apart_from_full_vectors(alice: Someone) -> None:
    ids = with_vectors(alice, "x", PAGES[:2])
    compact = vector_cache.VectorForm(VectorStorage.COMPACT)
    before = reads_from("memory", "whole"), reads_from("file", "whole"), reads_from("database", "whole")
    with acting_for(alice.id) as tx:
        vector_cache.read(tx, ids, dim=DIM, form=FORM)
        for _ in range(2):
            codes = vector_cache.read(tx, ids, dim=DIM, form=compact)
            vector_cache.read(tx, ids, dim=DIM, form=compact)
            for page_id, stored in zip(ids, PAGES, strict=False):
                page = codes[page_id]
                assert isinstance(page, CodedPage)
                assert np.array_equal(page.data, codec.encode(stored).data)
            vector_cache._full.reset()
    after = reads_from("memory", "whole"), reads_from("file", "whole"), reads_from("database", "whole")
    assert np.subtract(after, before).tolist() == [4, 2, 4]
