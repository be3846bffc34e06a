"""In which order, and how many at a time, connections miss their deadline."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from paliapi.web_server.connection import Connection
from paliapi.web_server.waiting import Waiting

Connect: TypeAlias = Callable[[float], Connection]

_STEP_S = 0.05


@pytest.fixture
def began() -> float:
    return time.monotonic()


@pytest.fixture
def waiting(began: float) -> Waiting:
    return Waiting(most_of_a_peer=None, step_s=_STEP_S)


@pytest.fixture
def connect(waiting: Waiting, began: float) -> Iterator[Connect]:
    """Return a function that makes a connection wait for some seconds."""
    with ExitStack() as sockets:

        def connect(seconds: float) -> Connection:
            sock, other = socket.socketpair()
            sockets.enter_context(other)
            connection = Connection(sockets.enter_context(sock), "", None)
            connection.deadline = began + seconds
            waiting.add(connection)
            return connection

        yield connect


def test_only_those_that_missed_their_deadline_are_yielded(waiting: Waiting, connect: Connect, began: float) -> None:
    first, last = connect(1), connect(3)
    assert list(waiting.missed(began + 0.5, at_most=9)) == []
    assert list(waiting.missed(began + 2, at_most=9)) == [first]
    assert list(waiting.missed(began + 4, at_most=9)) == [last]


def test_a_few_are_yielded_at_a_time_and_the_longest_overdue_first(
    waiting: Waiting, connect: Connect, began: float
) -> None:
    connections = [connect(seconds) for seconds in (5, 4, 3, 2, 1)]
    rounds = [list(waiting.missed(began + 9, at_most=2)) for _ in range(4)]
    assert [len(yielded) for yielded in rounds] == [2, 2, 1, 0]
    assert [connection for yielded in rounds for connection in yielded] == connections[::-1]


def test_a_deadline_that_has_moved_on_is_kept(waiting: Waiting, connect: Connect, began: float) -> None:
    connection = connect(1)
    connection.deadline = began + 3  # as a body that arrives moves it
    assert list(waiting.missed(began + 2, at_most=9)) == []
    assert list(waiting.missed(began + 4, at_most=9)) == [connection]


def test_an_earlier_deadline_replaces_a_later_one(waiting: Waiting, connect: Connect, began: float) -> None:
    connection = connect(30)
    waiting.set_deadline(connection, began + 1)
    assert list(waiting.missed(began + 2, at_most=9)) == [connection]
    assert list(waiting.missed(began + 40, at_most=9)) == []


def test_a_connection_that_no_longer_waits_misses_nothing(waiting: Waiting, connect: Connect, began: float) -> None:
    waiting.discard(connect(1))
    assert list(waiting.missed(began + 2, at_most=9)) == []


def test_it_is_late_while_overdue_connections_are_left(waiting: Waiting, connect: Connect, began: float) -> None:
    for _ in range(2):
        connect(-1)
    now = time.monotonic() + 2 * _STEP_S
    assert len(list(waiting.missed(now, at_most=1))) == 1
    while not waiting.is_late():
        time.sleep(_STEP_S / 10)  # the step of the other one is about to begin
    assert len(list(waiting.missed(now, at_most=1))) == 1
    assert not waiting.is_late()
