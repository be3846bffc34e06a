"""The walls from inside: hostile code in a confined process."""

from typing import cast

import pytest

from tests.sandbox.attempts import ATTEMPTS
from tests.sandbox.confined import PLAIN_USER, lines, run, targets

# What no wall has to hold off from a plain user without walls; the others need privileges or depend on the kernel.
ALWAYS_POSSIBLE = {
    *("connect by TCP", "send by UDP", "connect to a Unix socket", "send to a Unix socket"),
    *("connect to an abstract socket", "read a secret", "map a secret", "list a data folder", "overwrite a file"),
    *("append to a file", "create a file", "create a file in /tmp", "truncate a file", "change a file's mode"),
    *("change a file's times", "link", "link symbolically", "make a folder", "make a pipe", "rename", "unlink"),
    *("remove a folder", "signal a process", "signal by a descriptor", "read a process's environment"),
    *("limit a process", "get a handle on a process", "change a process's priority", "fork", "clone"),
    *("pin a process to a processor", "share memory", "watch files"),
}
users = pytest.mark.parametrize("user", [0, PLAIN_USER], ids=["as it is", "as a plain user"])


def attempts_after(confining: str, *, user: int) -> dict[str, str]:
    """Return the result of each attempt. If the process became another program, the last ones are missing."""
    with targets(user=user) as attacked:
        done = run(f"{confining}\nattempts.main()", attacked.to_json(), user=user)
    assert done.stderr == ""
    return dict(cast(list[tuple[str, str]], lines(done)))


def test_attempts_succeed_without_walls() -> None:
    results = attempts_after("", user=PLAIN_USER)
    assert {name for name in ALWAYS_POSSIBLE if results[name] != "succeeded"} == set()
    assert "execute a program" not in results


@users
def test_a_computing_process_is_refused_everything(user: int) -> None:
    results = attempts_after("confine(calls=calls.computing())", user=user)
    assert {name: result for name, result in results.items() if result == "succeeded"} == {}
    assert results.keys() == ATTEMPTS.keys()


@users
def test_a_process_that_runs_programs_is_refused_everything_else(user: int) -> None:
    results = attempts_after("confine(calls=calls.programs(may_listen=True))", user=user)
    assert {name for name, result in results.items() if result == "succeeded"} == {"fork", "clone"}
    assert results.keys() == ATTEMPTS.keys()  # no folder with programs was granted
