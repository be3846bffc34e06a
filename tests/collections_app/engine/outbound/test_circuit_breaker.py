"""Which callers may wait, and for how long."""

from contextlib import ExitStack

import pytest

from collections_app.engine.outbound.circuit_breaker import CircuitBreaker, WaitBudget

PROBE_INTERVAL_S = 6.0


class Clock:
    """A clock that the tests advance."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(max_long_waits=2, probe_interval_s=PROBE_INTERVAL_S, now=clock)


def budgets(breaker: CircuitBreaker, count: int, *, fail_fast: bool = False) -> list[WaitBudget]:
    """Return the budgets of `count` callers that are admitted one after the other and all still wait."""
    with ExitStack() as waiting:
        return [waiting.enter_context(breaker.admit(fail_fast=fail_fast)) for _ in range(count)]


def test_long_waits_are_limited_and_are_released(breaker: CircuitBreaker) -> None:
    expected = [WaitBudget.LONG, WaitBudget.LONG, WaitBudget.SHORT, WaitBudget.SHORT]
    assert budgets(breaker, 4) == expected
    assert budgets(breaker, 4) == expected


def test_a_long_wait_is_released_on_an_exception(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="gone"), breaker.admit():
            raise ValueError("gone")
    assert budgets(breaker, 2) == [WaitBudget.LONG, WaitBudget.LONG]


def test_fail_fast_never_takes_a_long_wait(breaker: CircuitBreaker) -> None:
    assert budgets(breaker, 3, fail_fast=True) == [WaitBudget.SHORT] * 3


def test_after_a_failure_only_one_probe_per_interval_is_admitted(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.failed()
    assert budgets(breaker, 4) == [WaitBudget.LONG, WaitBudget.LONG, WaitBudget.NONE, WaitBudget.NONE]
    assert budgets(breaker, 2, fail_fast=True) == [WaitBudget.NONE] * 2
    for _ in range(2):
        clock.at_s += PROBE_INTERVAL_S
        assert budgets(breaker, 3, fail_fast=True) == [WaitBudget.SHORT, WaitBudget.NONE, WaitBudget.NONE]


def test_a_failed_probe_restarts_the_interval(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.failed()
    clock.at_s += PROBE_INTERVAL_S
    with breaker.admit(fail_fast=True) as budget:
        assert budget is WaitBudget.SHORT
        clock.at_s += PROBE_INTERVAL_S
        breaker.failed()
    assert budgets(breaker, 1, fail_fast=True) == [WaitBudget.NONE]


def test_one_success_closes_the_circuit(breaker: CircuitBreaker) -> None:
    breaker.failed()
    breaker.succeeded()
    assert budgets(breaker, 3, fail_fast=True) == [WaitBudget.SHORT] * 3
