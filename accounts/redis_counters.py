"""A small Redis client for the rate limits and for caches, which never makes a request wait for long.

If Redis does not reply, requests pass: the limits that must hold in any case, the quotas, are in Postgres. After a
failure Redis is left alone for a moment; then a single request tries it again while the others pass.

redis-py's own client and connection pool take about twice as long per call, and every request makes one. To compare
them, run `.venv/bin/python -m benchmarks.load.redis_client`.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import structlog
from django.conf import settings
from prometheus_client import Counter
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from paliapi import metrics

log = structlog.get_logger(__name__)

_TIMEOUT_S = 0.25
_LOG_EVERY_S = 60.0

_Reply = TypeVar("_Reply")
Word: TypeAlias = str | bytes | float


class _Connection:
    """A connection that counts its unread replies, so that a command can be sent without waiting for one."""

    def __init__(self, connection: ConnectionInterface) -> None:
        self._connection = connection
        self._unread = 0

    def send(self, *command: Word) -> None:
        """Send a command; its reply is read and dropped before the next `request` returns."""
        self._write([command])
        self._unread += 1

    def request(self, *command: Word) -> list[Any]:
        """Send a command and return its reply."""
        self._write([command])
        self._read_overdue()
        return list(self._connection.read_response())

    def request_all(self, commands: Sequence[Sequence[Word]]) -> list[Any]:
        """Send several commands at once and return their replies; raise the last error, once all replies are read."""
        self._write(commands)
        self._read_overdue()
        replies, error = [], None
        for _ in commands:
            try:
                replies.append(self._connection.read_response())
            except ResponseError as problem:
                error = problem
        if error:
            raise error
        return replies

    def _write(self, commands: Sequence[Sequence[Word]]) -> None:
        self._connection.send_packed_command([b"".join(map(_packed, commands))])  # type: ignore[no-untyped-call]

    def _read_overdue(self) -> None:
        while self._unread:
            self._unread -= 1
            with suppress(ResponseError):
                self._connection.read_response()


class BriefClient:
    """Sends commands to one Redis, over connections that are opened on first use and anew in a forked process.

    It waits only briefly, and not at all for a while after a failure.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        pause_s: float = 1.0,
        failures: Counter = metrics.limits_unavailable,
        event: str = "limits_unavailable",
    ) -> None:
        self._connections = ConnectionPool.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )
        self._failures, self._event = failures, event
        self._idle: list[_Connection] = []
        self._process = os.getpid()
        self._pause_s = pause_s
        self._lock = Lock()
        self._retry_at = 0.0
        self._logged_at = float("-inf")

    def run_script(
        self, script: str, *, keys: Sequence[str], arguments: Sequence[str | int | float]
    ) -> list[int] | None:
        """Return the integers that a Lua script returns, or None if Redis is unavailable."""

        def run(connection: _Connection) -> list[Any]:
            try:
                return connection.request("EVALSHA", _sha1(script), len(keys), *keys, *arguments)
            except NoScriptError:
                return connection.request("EVAL", script, len(keys), *keys, *arguments)

        reply = self._attempt(run)
        return None if reply is None else [int(number) for number in reply]

    def request_all(self, *commands: Sequence[Word]) -> list[Any] | None:
        """Send commands in one round trip; return their replies, or None if Redis is unavailable or refuses one."""
        return self._attempt(lambda connection: connection.request_all(commands))

    def send(self, *command: Word) -> None:
        """Send a command without waiting for its reply."""
        self._attempt(lambda connection: connection.send(*command))

    def _attempt(self, act: Callable[[_Connection], _Reply]) -> _Reply | None:
        if not self._may_try():
            self._failures.inc()
            return None
        try:
            reply = self._with_some_connection(act)
        except (RedisError, OSError) as exc:
            self._record_failure(exc)
            return None
        self._retry_at = 0.0
        return reply

    def _with_some_connection(self, act: Callable[[_Connection], _Reply]) -> _Reply:
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        try:
            idle = self._idle.pop()
        except IndexError:
            idle = None
        if idle is not None:
            # Redis may have closed it in the meantime, which shows only on use.
            with suppress(Disconnected):
                return self._with_connection(idle, act)
        return self._with_connection(_Connection(self._connections.make_connection()), act)

    def _with_connection(self, connection: _Connection, act: Callable[[_Connection], _Reply]) -> _Reply:
        """Run `act` and keep the connection, unless a failure other than an error reply has closed it."""
        try:
            reply = act(connection)
        except ResponseError:
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return reply

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._retry_at:
                return False
            if self._retry_at:
                # This request probes Redis; the others pass without waiting for the outcome.
                self._retry_at = now + self._pause_s
            return True

    def _record_failure(self, exc: Exception) -> None:
        self._failures.inc()
        with self._lock:
            now = time.monotonic()
            self._retry_at = now + self._pause_s
            due = now - self._logged_at >= _LOG_EVERY_S
            if due:
                self._logged_at = now
        if due:
            log.warning(self._event, error=type(exc).__name__)


def _packed(command: Sequence[Word]) -> bytes:
    """Return a command in Redis' protocol. redis-py takes five times as long."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))


@cache
def _sha1(script: str) -> str:
    """Return the name under which Redis caches a script that it has run."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def limiter() -> BriefClient:
    """Return the client of the rate limits in this process."""
    return _limiter_at(settings.ENV.redis_url)


@cache
def _limiter_at(url: str) -> BriefClient:
    return BriefClient(url)
