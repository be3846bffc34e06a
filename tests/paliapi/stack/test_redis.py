"""A Redis of our own, for real."""

import os
import signal

import pytest
import redis

from paliapi.stack import processes
from paliapi.stack.home import Home
from paliapi.stack.redis import start_redis


def test_it_answers_with_the_password_and_not_without(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    with redis.Redis.from_url(server.url.partition("?")[0]) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    assert child.stop(within_s=5)


def test_what_was_queued_survives_a_stop(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        client.set("queued", "still here")
    child.stop(within_s=5)
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.get("queued") == b"still here"
    child.stop(within_s=5)


def test_a_killed_server_starts_again(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    os.kill(child.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: child.exit_code() is not None, within_s=10)
    server, child = start_redis(home, password="a-password")
    assert server.is_ready()
    child.stop(within_s=5)


def test_a_server_that_outlived_its_stack_is_ended_by_the_next_start(home: Home) -> None:
    _, forgotten = start_redis(home, password="a-password")
    server, child = start_redis(home, password="a-password")
    assert forgotten.exit_code() == 0
    assert server.is_ready()
    child.stop(within_s=5)


def test_the_configuration_with_the_password_is_for_its_owner_alone(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    child.stop(within_s=5)
    assert (server.data / "redis.conf").stat().st_mode & 0o777 == 0o600
