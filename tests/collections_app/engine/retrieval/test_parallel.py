"""Work that is spread is done once, whoever does it, and whoever else is at work."""

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.parallel import Helpers, spread, together


@pytest.fixture
def helpers() -> Helpers:
    """Two, whatever this machine has."""
    return Helpers(2)


@given(st.integers(0, 200), st.integers(1, 70))
def test_every_part_is_done_once(count: int, each: int) -> None:
    done: list[int] = []
    spread(lambda start, stop: done.extend(range(start, stop)), count, each=each)
    assert sorted(done) == list(range(count))


def test_others_help(helpers: Helpers) -> None:
    together = threading.Barrier(2, timeout=30)
    helpers.share(lambda: (together.wait(), None)[1], wanted=1)


def test_who_has_not_begun_is_not_waited_for(helpers: Helpers) -> None:
    busy, enough = threading.Barrier(4, timeout=30), threading.Event()

    def other_work() -> None:
        busy.wait()
        enough.wait(30)

    # Both helpers are held by somebody else's search, and what comes next waits in the queue behind them.
    elsewhere = threading.Thread(target=lambda: helpers.share(other_work, wanted=2))
    elsewhere.start()
    busy.wait()
    done: list[int] = []
    helpers.share(lambda: done.append(threading.get_ident()), wanted=2)
    enough.set()
    elsewhere.join()
    assert done == [threading.get_ident()]


def test_a_failure_of_any_part_is_told(helpers: Helpers) -> None:
    def work(start: int, _: int) -> None:
        if start == 7:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spread(work, 20, each=1)
    here, together = threading.get_ident(), threading.Barrier(2, timeout=30)

    def fails_elsewhere() -> None:
        together.wait()
        if threading.get_ident() != here:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        helpers.share(fails_elsewhere, wanted=1)


def test_who_has_begun_is_waited_for_whoever_fails(helpers: Helpers) -> None:
    here, begun, ended = threading.get_ident(), threading.Barrier(3, timeout=30), []

    def work() -> None:
        begun.wait()
        if threading.get_ident() != here:
            time.sleep(0.05)
            ended.append(threading.get_ident())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        helpers.share(work, wanted=2)
    assert len(ended) == 2


@pytest.mark.parametrize("parts", [0, 1, 2, 3, 9])
def test_no_more_do_the_same_than_there_are_parts(
    monkeypatch: pytest.MonkeyPatch, helpers: Helpers, parts: int
) -> None:
    monkeypatch.setattr("collections_app.engine.retrieval.parallel._helpers", helpers)
    most = max(1, min(parts, 3))
    begun, done = threading.Barrier(most, timeout=30), []

    def work() -> None:
        begun.wait()
        done.append(threading.get_ident())

    together(work, parts=parts)
    assert len(set(done)) == len(done) == most


def test_a_copied_process_has_helpers_of_its_own() -> None:
    def work(start: int, _: int) -> None:
        done.append(start)

    done: list[int] = []
    spread(work, 9, each=1)
    child = os.fork()
    if child == 0:
        spread(work, 50, each=1)
        os._exit(0 if sorted(done[9:]) == list(range(50)) else 1)
    assert os.waitpid(child, 0)[1] == 0
