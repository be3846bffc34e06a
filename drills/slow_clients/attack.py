"""The attacker: keeps thousands of slow connections open, and replaces those that the server closes.

Run as `python -m drills.slow_clients.attack PORT KIND COUNT ADDRESSES`, it reports its state in one line of JSON for
each line that it reads.
"""

import json
import os
import select
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from paliapi.derived_settings import static_version
from paliapi.web_server.worker import raise_descriptor_limit

_HEAD = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
_UNREAD_PATH = f"/static/{static_version()}/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
_UNREAD = f"GET {_UNREAD_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
_BIND_ADDRESS_NO_PORT = 24  # from Linux's in.h: choose the port when connecting
_TURN_S = 0.05
# It takes processor time of other processes only if there is some left, as if it ran on another machine.
_NICE = 19
# A connection sends its next bytes this long after its last ones.
_DRIP_S = 2.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What a slow client sends at first, and then again and again."""

    first: bytes
    drip: bytes
    reads: bool = True
    lasts_s: float = 10.0  # the server closes it after that


KINDS = {
    "idle": Kind(b"", b""),
    "half a head": Kind(_HEAD, b""),
    "a head by bytes": Kind(_HEAD, b"X"),
    "half a body": Kind(_HEAD + b"Content-Length: 1000\r\n\r\nusername=", b"x", lasts_s=30),
    "reads nothing": Kind(_UNREAD, b"", reads=False, lasts_s=30),
}


class Attack:
    """Slow connections to a server, from many addresses of this machine."""

    def __init__(self, port: int, *, kinds: list[Kind], count: int, addresses: int) -> None:
        self.seen: Counter[str] = Counter()
        self.open: dict[int, socket.socket] = {}
        self._port = port
        self._count = count
        self._kinds = kinds
        self._sources = _addresses(addresses)
        # As many as keep all of them open; more would be a flood, which costs a server whatever the clients send.
        self._new_per_s = count / (sum(kind.lasts_s for kind in kinds) / len(kinds))
        self._poll = select.epoll()
        self._due: deque[tuple[float, socket.socket, Kind]] = deque()

    def run(self, *, is_over: Callable[[], bool]) -> None:
        """Attack until it is over."""
        began, tried = time.monotonic(), 0
        while not is_over():
            allowed = int((time.monotonic() - began) * self._new_per_s) - tried
            for _ in range(min(self._count - len(self.open), allowed)):
                tried += 1
                self._connect(self._kinds[tried % len(self._kinds)])
            self._drip()
            for descriptor, _ in self._poll.poll(_TURN_S):
                self._hear(descriptor)
        for sock in self.open.values():
            sock.close()
        self._poll.close()

    def _connect(self, kind: Kind) -> None:
        sock = socket.socket()
        try:
            if not kind.reads:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((next(self._sources), 0))
            sock.settimeout(1)
            sock.connect(("127.0.0.1", self._port))
            sock.setblocking(False)  # noqa: FBT003 - no keyword
            sock.send(kind.first)
        except OSError as problem:
            self.seen[type(problem).__name__] += 1
            sock.close()
            return
        self.seen["opened"] += 1
        self.open[sock.fileno()] = sock
        self._poll.register(sock, select.EPOLLIN if kind.reads else select.EPOLLRDHUP)
        if kind.drip:
            self._due.append((time.monotonic() + _DRIP_S, sock, kind))

    def _drip(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, sock, kind = self._due.popleft()
            with suppress(OSError):  # it is closed; `_hear` learns of it
                sock.send(kind.drip)
                self._due.append((now + _DRIP_S, sock, kind))

    def _hear(self, descriptor: int) -> None:
        sock = self.open[descriptor]
        try:
            if sock.recv(4096):
                return
        except BlockingIOError:
            return
        except ConnectionError:
            pass
        self.seen["closed"] += 1
        self._poll.unregister(sock)
        del self.open[descriptor]
        sock.close()


def _addresses(count: int) -> Iterator[str]:
    """Yield addresses of the loopback interface other than that of normal clients, again and again."""
    while True:
        for number in range(1, count + 1):
            yield f"127.1.{number // 250}.{number % 250 + 1}"


def main() -> None:
    port, name, count, addresses = sys.argv[1:]
    os.nice(_NICE)
    raise_descriptor_limit()
    kinds = list(KINDS.values()) if name == "all" else [KINDS[name]]
    attack = Attack(int(port), kinds=kinds, count=int(count), addresses=int(addresses))
    over = threading.Event()
    thread = threading.Thread(target=attack.run, kwargs={"is_over": over.is_set})
    thread.start()
    for _ in sys.stdin:
        sys.stdout.write(json.dumps({"open": len(attack.open), **attack.seen}) + "\n")
        sys.stdout.flush()
    over.set()
    thread.join()


if __name__ == "__main__":
    main()
