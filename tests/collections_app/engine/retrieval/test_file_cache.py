"""What was put last is there, as it was put, and the file is never larger than it may be."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.file_cache import Scratch
from collections_app.engine.retrieval.multivector import MultiVector

DIM = 4
ROOM = 1000
FOLDER = Path(tempfile.gettempdir())


def array(key: int, count: int) -> MultiVector:
    """`count` vectors, of eight bytes each, that no other key has."""
    return np.full((count, DIM), key, dtype=np.float16)


@given(st.lists(st.integers(1, 140), max_size=60))
def test_what_was_put_last_is_there_and_nothing_is_there_that_was_not_put(counts: list[int]) -> None:
    kept: Scratch[int] = Scratch()
    arrays = {key: array(key, count) for key, count in enumerate(counts)}
    for last in arrays:
        kept.put({last: arrays[last]}, folder=FOLDER, most_bytes=ROOM)
        found = kept.take(arrays)
        assert all(np.array_equal(there, arrays[key]) for key, there in found.items())
        assert sum(there.nbytes for there in found.values()) <= kept.nbytes <= ROOM
        taken = 0
        for key in range(last, -1, -1):
            taken += arrays[key].nbytes if arrays[key].nbytes <= ROOM else 0
            if taken > ROOM // 2:
                break
            assert (key in found) == (arrays[key].nbytes <= ROOM)


def test_many_who_read_and_write_at_once_find_what_was_put_or_nothing() -> None:
    kept: Scratch[int] = Scratch()

    def act(number: int) -> int:
        kept.put({number: array(number, 1 + number % 50)}, folder=FOLDER, most_bytes=ROOM)
        found = kept.take(range(max(0, number - 10), number + 1))
        for key, there in found.items():
            assert np.array_equal(there, array(key, 1 + key % 50))
        return len(found)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(act, range(2000))) > 0


def test_nobody_can_open_the_file(tmp_path: Path) -> None:
    kept: Scratch[int] = Scratch()
    kept.put({1: array(1, 10)}, folder=tmp_path, most_bytes=ROOM)
    assert list(kept.take([1])) == [1]
    assert list(tmp_path.iterdir()) == []


def test_without_a_disk_nothing_is_kept_and_that_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept: Scratch[int] = Scratch()
    for key in range(3):
        kept.put({key: array(key, 10)}, folder=tmp_path / "nowhere", most_bytes=ROOM)
    assert (kept.take(range(3)), kept.nbytes) == ({}, 0)
    assert caplog.text.count("scratch_file_unusable") == 1


def test_when_the_disk_is_full_all_of_it_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Scratch[int] = Scratch()
    kept.put({1: array(1, 10)}, folder=FOLDER, most_bytes=ROOM)
    monkeypatch.setattr(os, "pwrite", lambda *_: 5)
    kept.put({2: array(2, 10)}, folder=FOLDER, most_bytes=ROOM)
    monkeypatch.undo()
    kept.put({3: array(3, 10)}, folder=FOLDER, most_bytes=ROOM)
    assert (kept.take([1, 2, 3]), kept.nbytes) == ({}, 0)


def test_it_begins_again_with_nothing() -> None:
    kept: Scratch[int] = Scratch()
    kept.put({1: array(1, 10)}, folder=FOLDER, most_bytes=ROOM)
    kept.begin_again()
    assert (kept.take([1]), kept.nbytes) == ({}, 0)
