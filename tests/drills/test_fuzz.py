"""The fuzzed parsers handle valid inputs, damaged ones, and those on which they once failed."""

import random
from pathlib import Path

import pytest

from drills.fuzz.targets import TARGETS, seeds

FINDINGS = Path(__file__).parents[2] / "drills" / "fuzz" / "findings"


@pytest.mark.parametrize("path", sorted(FINDINGS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_inputs_that_once_failed_are_handled(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_valid_inputs_cut_or_changed_anywhere_raise_only_documented_errors(target: str) -> None:
    chance = random.Random(1)  # noqa: S311 - for changes that are the same in each run
    for seed in seeds(target):
        TARGETS[target](seed)
        for _ in range(300):
            changed = bytearray(seed)
            changed[chance.randrange(len(seed))] = chance.randrange(256)
            TARGETS[target](bytes(changed[: chance.randrange(len(seed) + 1)]))
