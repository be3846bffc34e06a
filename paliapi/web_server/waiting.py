"""Connections that wait: for their client, in the order of their last progress, and for the end of a pause."""

import heapq
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from math import ceil

from paliapi.web_server.connection import Connection


class _Deadlines:
    """Connections by the time of their deadline, which may have moved on when it is reached.

    What a look costs does not depend on how many connections wait.
    """

    def __init__(self, *, step_s: float) -> None:
        self._step_s = step_s
        self._next = ceil(time.monotonic() / step_s)
        self._at: defaultdict[int, set[Connection]] = defaultdict(set)

    def add(self, connection: Connection) -> None:
        """Plan a look at a connection at its deadline, unless one is planned earlier."""
        step = max(ceil(connection.deadline / self._step_s), self._next)
        if connection.looked_at is None or step < connection.looked_at:
            self.discard(connection)
            connection.looked_at = step
            self._at[step].add(connection)

    def discard(self, connection: Connection) -> None:
        if connection.looked_at is not None:
            self._at[connection.looked_at].discard(connection)
            connection.looked_at = None

    def is_late(self) -> bool:
        """Return whether the last look ended before it reached all connections."""
        return bool(self._at.get(self._next)) and self._next <= time.monotonic() / self._step_s

    def reached(self, now: float, *, at_most: int) -> Iterator[Connection]:
        """Remove and yield the connections that are to be looked at now."""
        while self._next <= now / self._step_s:
            connections = self._at[self._next]
            while connections:
                if not at_most:
                    return
                at_most -= 1
                connection = connections.pop()
                connection.looked_at = None
                yield connection
            del self._at[self._next]
            self._next += 1


class Waiting:
    """The connections of all clients and of each address."""

    def __init__(self, *, most_of_a_peer: int | None, step_s: float) -> None:
        self._deadlines = _Deadlines(step_s=step_s)
        self._most_of_a_peer = most_of_a_peer
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._of_peer: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def oldest(self) -> Connection | None:
        """Return the connection without progress for longest."""
        return next(iter(self._all), None)

    def add(self, connection: Connection) -> Connection | None:
        """Add a connection; return the oldest of its address if that has too many now."""
        self._all[connection] = None
        self._deadlines.add(connection)
        if not connection.peer or self._most_of_a_peer is None:
            return None
        others = self._of_peer[connection.peer]
        others[connection] = None
        return next(iter(others)) if len(others) > self._most_of_a_peer else None

    def discard(self, connection: Connection) -> None:
        self._all.pop(connection, None)
        self._deadlines.discard(connection)
        others = self._of_peer.get(connection.peer)
        if others is not None:
            others.pop(connection, None)
            if not others:
                del self._of_peer[connection.peer]

    def set_deadline(self, connection: Connection, deadline: float) -> None:
        connection.deadline = deadline
        self._deadlines.add(connection)

    def missed(self, now: float, *, at_most: int) -> Iterator[Connection]:
        """Look at a number of connections whose deadline was planned for now, and yield those that missed it."""
        for connection in self._deadlines.reached(now, at_most=at_most):
            if connection.deadline > now:
                self._deadlines.add(connection)
            else:
                yield connection

    def is_late(self) -> bool:
        """Return whether more connections have missed their deadline than were yielded."""
        return self._deadlines.is_late()

    def progressed(self, connection: Connection) -> None:
        self._all.move_to_end(connection)
        if connection.peer in self._of_peer:
            self._of_peer[connection.peer].move_to_end(connection)


class Pauses:
    """Connections that are left alone for a while, in the order in which that ends."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Connection]] = []

    def add(self, connection: Connection, seconds: float) -> None:
        heapq.heappush(self._heap, (time.monotonic() + seconds, id(connection), connection))

    def shorten(self, timeout_s: float) -> float:
        """Return a timeout that ends with the next pause."""
        return min(timeout_s, max(0.0, self._heap[0][0] - time.monotonic())) if self._heap else timeout_s

    def over(self, now: float, *, at_most: int) -> Iterator[Connection]:
        """Remove and yield connections whose pause is over."""
        for _ in range(at_most):
            if not self._heap or self._heap[0][0] > now:
                return
            yield heapq.heappop(self._heap)[2]
