"""The embedded Redis, started for real."""

import os
import signal

import pytest
import redis

from paliapi.stack import processes
from paliapi.stack.home import Home
from paliapi.stack.redis import start_redis


def test_connection_requires_the_password(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    with redis.Redis.from_url(server.url.partition("?")[0]) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    assert child.stop(within_s=5)


def test_queue_survives_a_restart(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        client.set("queued", "still here")
    child.stop(within_s=5)
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.get("queued") == b"still here"
    child.stop(within_s=5)


def test_killed_server_restarts(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    os.kill(child.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: child.exit_code() is not None, within_s=10)
    server, child = start_redis(home, password="a-password")
    assert server.is_ready()
    child.stop(within_s=5)


def test_abandoned_server_is_ended_by_the_next_start(home: Home) -> None:
    _, forgotten = start_redis(home, password="a-password")
    server, child = start_redis(home, password="a-password")
    assert forgotten.exit_code() == 0
    assert server.is_ready()
    child.stop(within_s=5)


def test_configuration_is_private(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    child.stop(within_s=5)
    assert (server.data / "redis.conf").stat().st_mode & 0o777 == 0o600
