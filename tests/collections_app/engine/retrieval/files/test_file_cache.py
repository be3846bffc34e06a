"""A cache of arrays in a file: it returns what was put in last, and the file never exceeds its limit."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.files.file_cache import FileCache
from collections_app.engine.retrieval.multivector import MultiVector

DIM = 4
MAX_BYTES = 1000
FOLDER = Path(tempfile.gettempdir())


def array(key: int, count: int) -> MultiVector:
    """Return `count` vectors of eight bytes each, which no other key has."""
    return np.full((count, DIM), key, dtype=np.float16)


@given(st.lists(st.integers(1, 140), max_size=60))
def test_recent_arrays_are_cached_unchanged_within_the_limit(counts: list[int]) -> None:
    cache: FileCache[int] = FileCache()
    arrays = {key: array(key, count) for key, count in enumerate(counts)}
    for last in arrays:
        cache.put({last: arrays[last]}, folder=FOLDER, max_bytes=MAX_BYTES)
        cached = cache.get_many(arrays)
        assert all(np.array_equal(stored, arrays[key]) for key, stored in cached.items())
        assert sum(stored.nbytes for stored in cached.values()) <= cache.nbytes <= MAX_BYTES
        newer_bytes = 0
        for key in range(last, -1, -1):
            newer_bytes += arrays[key].nbytes if arrays[key].nbytes <= MAX_BYTES else 0
            if newer_bytes > MAX_BYTES // 2:
                break
            assert (key in cached) == (arrays[key].nbytes <= MAX_BYTES)


def test_concurrent_reads_return_the_right_array_or_nothing() -> None:
    cache: FileCache[int] = FileCache()

    def act(number: int) -> int:
        cache.put({number: array(number, 1 + number % 50)}, folder=FOLDER, max_bytes=MAX_BYTES)
        cached = cache.get_many(range(max(0, number - 10), number + 1))
        for key, stored in cached.items():
            assert np.array_equal(stored, array(key, 1 + key % 50))
        return len(cached)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(act, range(2000))) > 0


def test_file_has_no_name(tmp_path: Path) -> None:
    cache: FileCache[int] = FileCache()
    cache.put({1: array(1, 10)}, folder=tmp_path, max_bytes=MAX_BYTES)
    assert list(cache.get_many([1])) == [1]
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_disables_the_cache_and_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache: FileCache[int] = FileCache()
    for key in range(3):
        cache.put({key: array(key, 10)}, folder=tmp_path / "nowhere", max_bytes=MAX_BYTES)
    assert (cache.get_many(range(3)), cache.nbytes) == ({}, 0)
    assert caplog.text.count("scratch_file_unusable") == 1


def test_full_disk_frees_the_whole_file(monkeypatch: pytest.MonkeyPatch) -> None:
    cache: FileCache[int] = FileCache()
    cache.put({1: array(1, 10)}, folder=FOLDER, max_bytes=MAX_BYTES)
    monkeypatch.setattr(os, "pwrite", lambda *_: 5)
    cache.put({2: array(2, 10)}, folder=FOLDER, max_bytes=MAX_BYTES)
    monkeypatch.undo()
    cache.put({3: array(3, 10)}, folder=FOLDER, max_bytes=MAX_BYTES)
    assert (cache.get_many([1, 2, 3]), cache.nbytes) == ({}, 0)


def test_reset_empties_the_cache() -> None:
    cache: FileCache[int] = FileCache()
    cache.put({1: array(1, 10)}, folder=FOLDER, max_bytes=MAX_BYTES)
    cache.reset()
    assert (cache.get_many([1]), cache.nbytes) == ({}, 0)
