"""What is in memory is a copy of what the database has: of one owner, only so much, and none of it in a new process."""

import os
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.search import vector_cache
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, with_vectors

# Until they are asked for again.
LONG = [random_vectors(seed, count=600) for seed in range(8)]
DIM = LONG[0].shape[1]


@pytest.fixture(autouse=True)
def nothing_in_memory() -> None:
    for kept in (vector_cache._whole, vector_cache._pooled, vector_cache._file):
        kept.begin_again()


def read_from(where: str, form: str) -> float:
    told = {"form": form, "where": where}
    return REGISTRY.get_sample_value("paliapi_vectors_read_total", told) or 0.0


def test_vectors_are_read_once_and_are_those_that_were_kept(alice: Someone) -> None:
    made = with_vectors(alice, "x", LONG)
    before = read_from("database", "whole"), read_from("database", "pooled")
    with acting_for(alice.id):
        once = vector_cache.whole(alice.id, made, dim=DIM), vector_cache.pooled(alice.id, made, dim=DIM)
        whole, pooled = vector_cache.whole(alice.id, made, dim=DIM), vector_cache.pooled(alice.id, made, dim=DIM)
    assert [list(one) for one in once] == [made, made]
    assert list(whole) == list(pooled) == made
    assert all(np.array_equal(whole[page], kept) for page, kept in zip(made, LONG, strict=True))
    assert (read_from("database", "whole"), read_from("database", "pooled")) == (before[0] + 8, before[1] + 8)


def test_what_one_owner_has_in_memory_is_nobody_elses(alice: Someone, charlie: Someone) -> None:
    made = with_vectors(alice, "x", LONG[:2])
    with acting_for(alice.id):
        assert vector_cache.whole(alice.id, made, dim=DIM)
    with acting_for(charlie.id):
        assert vector_cache.whole(charlie.id, made, dim=DIM) == {}
        assert vector_cache.pooled(charlie.id, made, dim=DIM) == {}


def test_no_more_is_kept_than_there_is_room_for(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, vectors_cache_mb=1)
    made = with_vectors(alice, "x", LONG)
    with acting_for(alice.id):
        for page_id in made * 2:
            assert list(vector_cache.whole(alice.id, [page_id], dim=DIM)) == [page_id]
    assert 0 < vector_cache._whole.nbytes <= 3 * 2**20 // 4


@pytest.mark.parametrize(("disk_mb", "from_file"), [(0, 0), (1, 8)])
def test_what_memory_let_go_of_comes_from_the_file_where_there_is_one(
    alice: Someone, settings: Settings, disk_mb: int, from_file: int
) -> None:
    settings.ENV = replace(settings.ENV, vectors_file_mb=disk_mb)
    made = with_vectors(alice, "x", LONG)
    before = read_from("file", "whole"), read_from("database", "whole")
    with acting_for(alice.id):
        for _ in range(2):
            told = vector_cache.whole(alice.id, made, dim=DIM)
            assert all(np.array_equal(told[page], kept) for page, kept in zip(made, LONG, strict=True))
            vector_cache._whole.begin_again()
    told_from = read_from("file", "whole") - before[0], read_from("database", "whole") - before[1]
    assert told_from == (from_file, 16 - from_file)


def test_vectors_of_other_dimensions_cannot_be_scored_and_are_left_out(alice: Someone) -> None:
    made = with_vectors(alice, "x", LONG[:1])
    with acting_for(alice.id):
        assert vector_cache.whole(alice.id, made, dim=DIM + 1) == {}
        assert vector_cache.pooled(alice.id, made, dim=DIM + 1) == {}


def test_a_forked_process_begins_with_nothing_in_memory(alice: Someone) -> None:
    made = with_vectors(alice, "x", LONG[:1])
    with acting_for(alice.id):
        vector_cache.whole(alice.id, made, dim=DIM)
    kept = (vector_cache._whole, vector_cache._file)
    assert all(one.nbytes > 0 for one in kept)
    child = os.fork()
    if not child:
        os._exit(any(one.nbytes for one in kept))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
