"""The embedded Redis, started for real."""

import os
import signal

import pytest
import redis

from paliapi.stack import processes
from paliapi.stack.home import Home
from paliapi.stack.redis import start_redis


def test_connection_requires_user_and_password(home: Home) -> None:
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    socket = server.url.partition("?")[0]
    for login in ("", "?password=a-password", "?username=paliapi&password=another", "?username=default&password="):
        with redis.Redis.from_url(socket + login) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    assert child.stop(within_s=5)


def test_server_is_a_maintained_version_that_keeps_a_limit_of_memory(home: Home) -> None:
    server, child = start_redis(home, password="a", more_users=("user tests on >b ~* &* +@all",))
    with redis.Redis.from_url(server.url_for("tests", password="b")) as client:
        about = client.info()
    child.stop(within_s=5)
    assert (about["server_name"], about["maxmemory_policy"]) == ("valkey", "noeviction")
    assert tuple(int(part) for part in about["valkey_version"].split(".")) >= (9, 1, 2)
    assert about["maxmemory"] == 256 * 1024 * 1024


def test_queue_of_an_earlier_server_is_read(home: Home) -> None:
    data = home.path / "redis"
    data.mkdir()
    commands = (("SELECT", "0"), ("RPUSH", "celery", "a message"))
    words = "".join(f"*{len(one)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in one) for one in commands)
    (data / "appendonly.aof").write_text(words)
    server, child = start_redis(home, password="a-password")
    with redis.Redis.from_url(server.url) as client:
        assert client.rpop("celery") == b"a message"
    child.stop(within_s=5)


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
