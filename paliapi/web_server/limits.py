"""How many connections, bytes and seconds clients may take."""

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from threading import Lock
from typing import Any

from paliapi.units import MEBIBYTE

# The head of a request: all lines together.
MAX_HEAD_BYTES = 32 * 1024
# A larger body is received into a temporary file, if the application admits its request.
MAX_BODY_IN_MEMORY = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one web server process."""

    connections: int = 10_000
    # Connections of one address that wait for the client; None: a proxy makes all connections.
    peer_connections: int | None = 256
    # A body must arrive, and a response must be read, within `grace_s` and the time that this rate takes.
    bytes_per_s: int = 20_000
    grace_s: float = 30.0
    head_s: float = 10.0
    max_body_bytes: int = 70 * MEBIBYTE
    # Memory for heads and small bodies, and as much for responses to slow clients.
    memory_bytes: int = 128 * MEBIBYTE
    # Disk for larger bodies and responses.
    room_bytes: int = 1024 * MEBIBYTE
    folder: Path | None = None


class Room:
    """Bytes of memory or disk that may be taken at once; one account gets half of them at most."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken: Counter[str] = Counter()
        self._sum = 0
        self._lock = Lock()

    def take(self, account: str, size: int) -> bool:
        """Return whether there was room, and take it."""
        with self._lock:
            if self._sum + size > self._total or self._taken[account] + size > self._total // 2:
                return False
            self._sum += size
            self._taken[account] += size
            return True

    def give_back(self, account: str, size: int) -> None:
        with self._lock:
            self._sum -= size
            self._taken[account] -= size
            if not self._taken[account]:
                del self._taken[account]


def peer_of(address: Any) -> str:
    """Return the client that an address belongs to: an IPv4 address, an IPv6 network of 64 bits, or "" if unknown."""
    if not isinstance(address, tuple):
        return ""
    text = str(address[0])
    if ":" not in text:
        return text
    ip = IPv6Address(text.partition("%")[0])
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
