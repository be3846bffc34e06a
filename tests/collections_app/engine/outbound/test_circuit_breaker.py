"""Who may wait how long for a service that may not answer."""

from contextlib import ExitStack

import pytest

from collections_app.engine.outbound.circuit_breaker import Gate, Stay

PAUSE_S = 6.0


class Clock:
    """Time that goes on when told to."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(places=2, pause_s=PAUSE_S, now=clock)


def stays(gate: Gate, count: int, *, hasty: bool = False) -> list[Stay]:
    """What so many are told who come one after the other, and stay."""
    with ExitStack() as all_of_them:
        return [all_of_them.enter_context(gate.enter(hasty=hasty)) for _ in range(count)]


def test_some_may_wait_for_long_and_their_places_come_back(gate: Gate) -> None:
    expected = [Stay.LONG, Stay.LONG, Stay.SHORT, Stay.SHORT]
    assert stays(gate, 4) == expected
    assert stays(gate, 4) == expected


def test_a_place_comes_back_from_who_fails(gate: Gate) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="gone"), gate.enter():
            raise ValueError("gone")
    assert stays(gate, 2) == [Stay.LONG, Stay.LONG]


def test_who_is_in_a_hurry_takes_no_place(gate: Gate) -> None:
    assert stays(gate, 3, hasty=True) == [Stay.SHORT] * 3


def test_after_silence_the_others_do_not_wait_but_one_now_and_then(gate: Gate, clock: Clock) -> None:
    gate.not_heard()
    assert stays(gate, 4) == [Stay.LONG, Stay.LONG, Stay.NONE, Stay.NONE]
    assert stays(gate, 2, hasty=True) == [Stay.NONE] * 2
    for _ in range(2):
        clock.at_s += PAUSE_S
        assert stays(gate, 3, hasty=True) == [Stay.SHORT, Stay.NONE, Stay.NONE]


def test_the_pause_begins_anew_when_the_one_who_looked_heard_nothing(gate: Gate, clock: Clock) -> None:
    gate.not_heard()
    clock.at_s += PAUSE_S
    with gate.enter(hasty=True) as stay:
        assert stay is Stay.SHORT
        clock.at_s += PAUSE_S
        gate.not_heard()
    assert stays(gate, 1, hasty=True) == [Stay.NONE]


def test_one_answer_opens_it_for_all(gate: Gate) -> None:
    gate.not_heard()
    gate.heard()
    assert stays(gate, 3, hasty=True) == [Stay.SHORT] * 3
