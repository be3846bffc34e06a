"""Redis, asked for the limits and never waited for.

When it does not answer, requests pass: what must hold whatever happens, the quotas, is in Postgres. After a failure
it is left alone for a moment, then a single request tries it again while the others pass.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import structlog
from django.conf import settings
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from paliapi import metrics

log = structlog.get_logger(__name__)

_TIMEOUT_S = 0.25
_TELL_EVERY_S = 60.0


_Answer = TypeVar("_Answer")


class _Line:
    """A connection, and how many answers are still to come on it that nobody waits for."""

    def __init__(self, connection: ConnectionInterface) -> None:
        self._connection = connection
        self._unread = 0

    def tell(self, *command: str | float) -> None:
        """What comes of it is read, and forgotten, before the next answer."""
        self._connection.send_command(*command)  # type: ignore[no-untyped-call]
        self._unread += 1

    def ask(self, *command: str | float) -> list[Any]:
        self._connection.send_command(*command)  # type: ignore[no-untyped-call]
        while self._unread:
            self._unread -= 1
            with suppress(ResponseError):
                self._connection.read_response()
        return list(self._connection.read_response())


class Limiter:
    """Runs scripts in one Redis. Its connections are made on first use, and anew in a forked process.

    They are its own: a client, and the usual pool of connections, take as long as Redis does.
    """

    def __init__(self, url: str, *, pause_s: float = 1.0) -> None:
        self._connections = ConnectionPool.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._idle: list[_Line] = []
        self._process = os.getpid()
        self._pause_s = pause_s
        self._lock = Lock()
        self._again_at = 0.0
        self._told_at = float("-inf")

    def ask(self, script: str, *, keys: Sequence[str], arguments: Sequence[str | int | float]) -> list[int] | None:
        """The integers that a Lua script returns; None when there is no answer to be had."""

        def run(line: _Line) -> list[Any]:
            try:
                return line.ask("EVALSHA", _digest(script), len(keys), *keys, *arguments)
            except NoScriptError:
                return line.ask("EVAL", script, len(keys), *keys, *arguments)

        answer = self._tried(run)
        return None if answer is None else [int(number) for number in answer]

    def tell(self, *command: str | float) -> None:
        """Have a command done, without waiting for it."""
        self._tried(lambda line: line.tell(*command))

    def _tried(self, act: Callable[[_Line], _Answer]) -> _Answer | None:
        if not self._may_try():
            metrics.limits_unavailable.inc()
            return None
        try:
            done = self._on_some_line(act)
        except (RedisError, OSError) as exc:
            self._failed(exc)
            return None
        self._again_at = 0.0
        return done

    def _on_some_line(self, act: Callable[[_Line], _Answer]) -> _Answer:
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        try:
            idle = self._idle.pop()
        except IndexError:
            idle = None
        if idle is not None:
            # Redis may have closed it meanwhile, which shows only when it is used.
            with suppress(Disconnected):
                return self._over(idle, act)
        return self._over(_Line(self._connections.make_connection()), act)

    def _over(self, line: _Line, act: Callable[[_Line], _Answer]) -> _Answer:
        """What goes wrong in Redis leaves the connection good. Any other failure has closed it."""
        try:
            done = act(line)
        except ResponseError:
            self._idle.append(line)
            raise
        self._idle.append(line)
        return done

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._again_at:
                return False
            if self._again_at:
                # We are the one that tries; nobody else shall wait for the outcome.
                self._again_at = now + self._pause_s
            return True

    def _failed(self, exc: Exception) -> None:
        metrics.limits_unavailable.inc()
        with self._lock:
            now = time.monotonic()
            self._again_at = now + self._pause_s
            tell = now - self._told_at >= _TELL_EVERY_S
            if tell:
                self._told_at = now
        if tell:
            log.warning("limits_unavailable", error=type(exc).__name__)


@cache
def _digest(script: str) -> str:
    """The name under which Redis keeps a script that it has run."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def limiter() -> Limiter:
    """The one of this process."""
    return _limiter_at(settings.ENV.redis_url)


@cache
def _limiter_at(url: str) -> Limiter:
    return Limiter(url)
