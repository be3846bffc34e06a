import errno
import os

import pytest

from sandbox import calls, kernel


def test_a_call_returns_its_result() -> None:
    assert kernel.call("getpid") == os.getpid()


def test_a_failed_call_raises_its_error() -> None:
    with pytest.raises(OSError, match="close: ") as failed:
        kernel.call("close", -1)
    assert failed.value.errno == errno.EBADF


def test_an_unknown_call_is_an_error() -> None:
    with pytest.raises(OSError, match="unknown"):
        kernel.call("no_such_call")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_numbers_are_unique_and_within_the_known_ones(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    numbers = kernel.numbers()
    assert len(set(numbers.values())) == len(numbers) > 150
    assert max(numbers.values()) <= kernel.NEWEST


def test_other_architectures_have_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert (kernel.architecture(), kernel.numbers()) == (None, {})


def test_every_call_of_a_filter_has_a_number_on_some_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    known = set[str]()
    for machine in ("x86_64", "aarch64"):
        monkeypatch.setattr("platform.machine", lambda name=machine: name)
        known |= kernel.numbers().keys()
    for rules in (calls.computing(), calls.programs(may_listen=True), calls.serving()):
        assert set(rules.listed) <= known
