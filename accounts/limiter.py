"""Redis, asked for the limits and never waited for.

When it does not answer, requests pass: what must hold whatever happens, the quotas, is in Postgres. After a failure
it is left alone for a moment, then a single request tries it again while the others pass.
"""

import hashlib
import time
from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import Any

import structlog
from django.conf import settings
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from paliapi import metrics

log = structlog.get_logger(__name__)

_TIMEOUT_S = 0.25
_TELL_EVERY_S = 60.0


class Limiter:
    """Runs scripts in one Redis. Its connections are made on first use, and anew in a forked process."""

    def __init__(self, url: str, *, pause_s: float = 1.0) -> None:
        self._connections = ConnectionPool.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._pause_s = pause_s
        self._lock = Lock()
        self._again_at = 0.0
        self._told_at = float("-inf")

    def ask(self, script: str, *, keys: Sequence[str], arguments: Sequence[str | int | float]) -> list[int] | None:
        """The integers that a Lua script returns; None when there is no answer to be had."""
        if not self._may_try():
            metrics.limits_unavailable.inc()
            return None
        try:
            answer = self._run(script, len(keys), *keys, *arguments)
        except (RedisError, OSError) as exc:
            self._failed(exc)
            return None
        self._again_at = 0.0
        return [int(number) for number in answer]

    def _run(self, script: str, *told: str | float) -> list[Any]:
        """Straight on a connection: the usual way there, by a client that might try again, takes as long once more."""
        connection = self._connections.get_connection()
        try:
            try:
                return _answer(connection, "EVALSHA", _digest(script), *told)
            except NoScriptError:
                return _answer(connection, "EVAL", script, *told)
        finally:
            self._connections.release(connection)

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


def _answer(connection: ConnectionInterface, *command: str | float) -> list[Any]:
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    return list(connection.read_response())


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
