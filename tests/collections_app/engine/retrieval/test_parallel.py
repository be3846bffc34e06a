"""Shared work is done exactly once, whichever threads take part and whatever else they do."""

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.parallel import HelperPool, run_in_chunks, run_shared, searches


@pytest.fixture
def pool() -> HelperPool:
    """A pool of two, whatever this machine has."""
    return HelperPool(2)


@given(st.integers(0, 200), st.integers(1, 70))
def test_every_chunk_is_done_once(count: int, size: int) -> None:
    done: list[int] = []
    run_in_chunks(lambda start, stop: done.extend(range(start, stop)), count, size=size)
    assert sorted(done) == list(range(count))


def test_helper_runs_the_same_work(pool: HelperPool) -> None:
    barrier = threading.Barrier(2, timeout=30)
    pool.run(lambda: (barrier.wait(), None)[1], helpers=1)


def test_helpers_that_have_not_begun_are_not_waited_for(pool: HelperPool) -> None:
    busy, release = threading.Barrier(4, timeout=30), threading.Event()

    def other_work() -> None:
        busy.wait()
        release.wait(30)

    # Another search holds both helpers, so what comes next waits in the queue behind it.
    other_search = threading.Thread(target=lambda: pool.run(other_work, helpers=2))
    other_search.start()
    busy.wait()
    done: list[int] = []
    pool.run(lambda: done.append(threading.get_ident()), helpers=2)
    release.set()
    other_search.join()
    assert done == [threading.get_ident()]


def test_error_in_any_chunk_is_raised(pool: HelperPool) -> None:
    def work(start: int, _: int) -> None:
        if start == 7:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_chunks(work, 20, size=1)
    caller, barrier = threading.get_ident(), threading.Barrier(2, timeout=30)

    def fails_in_the_helper() -> None:
        barrier.wait()
        if threading.get_ident() != caller:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pool.run(fails_in_the_helper, helpers=1)


def test_helpers_that_have_begun_are_waited_for_after_an_error(pool: HelperPool) -> None:
    caller, begun, ended = threading.get_ident(), threading.Barrier(3, timeout=30), []

    def work() -> None:
        begun.wait()
        if threading.get_ident() != caller:
            time.sleep(0.05)
            ended.append(threading.get_ident())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pool.run(work, helpers=2)
    assert len(ended) == 2


@pytest.mark.parametrize("parts", [0, 1, 2, 3, 9])
def test_at_most_as_many_threads_as_parts_take_part(
    monkeypatch: pytest.MonkeyPatch, pool: HelperPool, parts: int
) -> None:
    monkeypatch.setattr("collections_app.engine.retrieval.parallel._helpers", pool)
    expected = max(1, min(parts, 3))
    begun, done = threading.Barrier(expected, timeout=30), []

    def work() -> None:
        begun.wait()
        done.append(threading.get_ident())

    run_shared(work, parts=parts)
    assert len(set(done)) == len(done) == expected


def test_forked_process_has_helpers_of_its_own() -> None:
    def work(start: int, _: int) -> None:
        done.append(start)

    done: list[int] = []
    run_in_chunks(work, 9, size=1)
    child = os.fork()
    if child == 0:
        run_in_chunks(work, 50, size=1)
        os._exit(0 if sorted(done[9:]) == list(range(50)) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_search_asks_for_no_help_while_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collections_app.engine.retrieval.parallel._helpers", HelperPool(1))
    threads: set[int] = set()
    with searches.one():
        assert searches.running == 1
        with searches.one():
            run_shared(lambda: threads.add(threading.get_ident()), parts=2)
    assert threads == {threading.get_ident()}
    assert searches.running == 0
