"""The Redis client of the rate limits."""

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from accounts.redis_counters import BriefClient
from paliapi.metrics import limits_unavailable
from tests.environment import Services

ECHO = "return {tonumber(ARGV[1])}"


def count_unavailable() -> float:
    return float(limits_unavailable._value.get())


def echo(limiter: BriefClient, number: int = 1) -> list[int] | None:
    return limiter.run_script(ECHO, keys=["paliapi:test"], arguments=[number])


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen on a socket and never reply."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "silent"))
        listening.listen()
        listening.setblocking(False)
        yield listening


def connections_to(listening: socket.socket) -> int:
    count = 0
    while True:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1


def test_result_of_the_script_is_returned(services: Services) -> None:
    limiter = BriefClient(services.redis_url)
    assert [echo(limiter, number) for number in (1, 2)] == [[1], [2]]


def test_missing_socket_returns_none_and_is_counted(tmp_path: Path) -> None:
    before = count_unavailable()
    assert echo(BriefClient(f"unix://{tmp_path}/missing")) is None
    assert count_unavailable() == before + 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://:wrong@localhost:1/0"])
def test_refused_connection_returns_none(url: str) -> None:
    assert echo(BriefClient(url)) is None


def test_silent_server_is_not_retried_during_the_pause(tmp_path: Path, silent: socket.socket) -> None:
    limiter = BriefClient(f"unix://{tmp_path}/silent", pause_s=3600)
    assert [echo(limiter) for _ in range(5)] == [None] * 5
    assert connections_to(silent) == 1


def test_server_is_retried_after_the_pause(tmp_path: Path, silent: socket.socket) -> None:
    limiter = BriefClient(f"unix://{tmp_path}/silent", pause_s=0)
    assert [echo(limiter) for _ in range(2)] == [None] * 2
    assert connections_to(silent) == 2


def test_recovered_server_is_used_again(tmp_path: Path, services: Services) -> None:
    there, place = urlsplit(services.redis_url).path, tmp_path / "redis"
    limiter = BriefClient(services.redis_url.replace(there, str(place)), pause_s=0)
    assert echo(limiter) is None
    place.symlink_to(there)
    before = count_unavailable()
    assert echo(limiter) == [1]
    assert count_unavailable() == before


def test_outage_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    limiter = BriefClient(f"unix://{tmp_path}/missing", pause_s=0)
    for _ in range(3):
        echo(limiter)
    messages = [record.getMessage() for record in caplog.records if record.name == "accounts.redis_counters"]
    assert len(messages) == 1
    assert "limits_unavailable" in messages[0]
    assert "missing" not in messages[0]


def test_unknown_script_is_loaded(services: Services) -> None:
    limiter = BriefClient(services.redis_url)
    new = f"{ECHO} -- {secrets.token_hex(8)}"
    assert [limiter.run_script(new, keys=["paliapi:test"], arguments=[number]) for number in (1, 2)] == [[1], [2]]


def test_closed_connection_is_reopened(services: Services) -> None:
    limiter = BriefClient(f"{services.redis_url}&client_name=to-be-closed")
    assert echo(limiter) == [1]
    redis = Redis.from_url(services.redis_superuser_url)
    (client,) = [one for one in redis.client_list() if one["name"] == "to-be-closed"]
    assert redis.client_kill_filter(_id=client["id"]) == 1
    before = count_unavailable()
    assert echo(limiter) == [1]
    assert count_unavailable() == before


def test_sent_commands_run_and_their_replies_are_dropped(services: Services) -> None:
    limiter = BriefClient(f"{services.redis_url}&client_name=given")
    redis = Redis.from_url(services.redis_superuser_url)
    key = f"paliapi:test:{secrets.token_hex(8)}"
    for _ in range(3):
        limiter.send("LPUSH", key, "sent")
    limiter.send("HGET", key, "of another kind")
    assert echo(limiter, 5) == [5]
    assert redis.rpop(key, 5) == [b"sent"] * 3
    assert len([one for one in redis.client_list() if one["name"] == "given"]) == 1


def test_unread_replies_of_a_closed_connection_are_forgotten(services: Services) -> None:
    limiter = BriefClient(f"{services.redis_url}&client_name=given-and-closed")
    limiter.send("PING")
    redis = Redis.from_url(services.redis_superuser_url)
    (client,) = [one for one in redis.client_list() if one["name"] == "given-and-closed"]
    redis.client_kill_filter(_id=client["id"])
    assert [echo(limiter, number) for number in (1, 2)] == [[1], [2]]


def test_forked_process_opens_its_own_connections(services: Services) -> None:
    limiter = BriefClient(services.redis_url)
    assert echo(limiter) == [1]
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(echo(limiter, 2)).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 100) == b"[2]"
    os.close(reading)
    os.close(writing)
    assert echo(limiter, 3) == [3]


def test_late_reply_is_not_mistaken_for_the_next(services: Services) -> None:
    limiter = BriefClient(services.redis_url, pause_s=0)
    slow = (
        "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end "
        "local began = now() while now() - began < 600 do end return 7"
    )
    assert limiter.run_script(slow, keys=[], arguments=[]) is None
    replies = [echo(limiter, number) for number in range(8, 28)]
    assert replies[-1] == [27]
    assert all(answer in (None, [number]) for number, answer in enumerate(replies, 8))


def test_failed_script_returns_none_and_keeps_the_connection(services: Services) -> None:
    limiter = BriefClient(services.redis_url, pause_s=0)
    assert limiter.run_script("return redis.call('NOTHING')", keys=[], arguments=[]) is None
    assert echo(limiter) == [1]
