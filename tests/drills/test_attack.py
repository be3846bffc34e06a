"""Attacks on a running stack do not succeed; the documented table is that of the last whole run."""

import json
from collections.abc import Iterator

import pytest

from drills.attack import table
from drills.attack.__main__ import ATTACKS, try_attack
from drills.attack.scene import Attack, Broken, Scene, prepared

# Takes minutes, or a gigabyte; only in the whole run.
_HEAVY = {"A query of 20 million lists", "Guessing passwords of many names"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with prepared(tmp_path_factory.mktemp("attack")) as ready:
        yield ready


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.name not in _HEAVY], ids=lambda attack: attack.name)
def test_attack_does_not_succeed(scene: Scene, attack: Attack) -> None:
    row = try_attack(scene, attack)
    assert row["held"], row["now"]


def test_attack_that_succeeds_is_reported(scene: Scene) -> None:
    def succeed(_scene: Scene) -> str:
        raise Broken("all is lost")

    assert try_attack(scene, Attack("x", "y", succeed)) == {
        "attack": "x",
        "before": "y",
        "now": "all is lost",
        "held": False,
    }


def test_documented_table_is_that_of_the_last_run() -> None:
    rows: list[table.Row] = json.loads(table.RESULTS.read_text())
    assert {row["attack"] for row in rows} == {attack.name for attack in ATTACKS}
    assert all(row["held"] for row in rows)
    assert table.markdown(rows) in table.PAGE.read_text()
