"""The rights of the application in Redis."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from paliapi.stack.home import open_home
from paliapi.stack.redis import Redis, start_redis
from paliapi.stack.redis_users import COMMANDS, USER, rules

REFUSED = [
    "ACL LIST",
    "ACL SETUSER paliapi +@all",
    "BGREWRITEAOF",
    "CLIENT KILL TYPE normal",
    "CLIENT LIST",
    "CLIENT PAUSE 60000",
    "CLUSTER INFO",
    "COMMAND LIST",
    "CONFIG GET dir",
    "CONFIG SET dir /tmp",
    "DEBUG SLEEP 0",
    "DUMP celery",
    "FAILOVER",
    "FLUSHALL",
    "FLUSHDB",
    "FUNCTION LOAD anything",
    "INFO",
    "KEYS *",
    "LATENCY DOCTOR",
    "MEMORY STATS",
    "MIGRATE 127.0.0.1 1 celery 0 1000",
    "MODULE LIST",
    "MODULE LOAD /tmp/module.so",
    "MONITOR",
    "PSYNC ? -1",
    "REPLICAOF 127.0.0.1 1",
    "RESTORE celery 0 anything",
    "SAVE",
    "SCAN 0",
    "SCRIPT DEBUG YES",
    "SCRIPT FLUSH",
    "SCRIPT KILL",
    "SHUTDOWN NOSAVE",
    "SLOWLOG GET",
    "SWAPDB 0 1",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory() as folder:
        home = open_home(Path(folder) / "home")
        server, child = start_redis(home, password="a", more_users=("user tests on >b ~* &* +@all",))
        yield server
        child.stop(within_s=5)
        home.remove_short_names()


@pytest.fixture
def application(server: Redis) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(server.url) as client:
        yield client


@pytest.mark.parametrize("command", REFUSED)
def test_command_is_refused(application: "redis.Redis", command: str) -> None:
    with pytest.raises(redis.ResponseError, match=r"has no permissions|(DEBUG|MODULE) command not allowed"):
        application.execute_command(*command.split())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("command", ["CONFIG', 'GET', 'dir", "FLUSHALL", "KEYS', '*", "SHUTDOWN"])
def test_command_in_a_script_is_refused_as_well(application: "redis.Redis", command: str) -> None:
    with pytest.raises(redis.ResponseError, match=r"has no permissions|not allowed from script"):
        application.eval(f"return redis.call('{command}')", 0)


def test_no_command_but_those_of_the_list_is_allowed(server: Redis) -> None:
    with redis.Redis.from_url(server.url_for("tests", password="b")) as superuser:
        (shown,) = [line for line in superuser.acl_list() if line.startswith(f"user {USER} ")]
        administrative = set(superuser.acl_cat("dangerous"))
    assert {word[1:] for word in shown.split() if word[0] == "+"} == set(COMMANDS)
    assert "+@" not in shown
    assert not administrative & set(COMMANDS)


def test_rules_do_not_contain_the_password() -> None:
    assert not any("a-password" in rule for rule in rules("a-password"))
