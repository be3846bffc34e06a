"""Timings of stages."""

import pytest

from collections_app.engine.retrieval.stopwatch import Stopwatch


def test_stages_are_in_order_and_add_up() -> None:
    watch = Stopwatch()
    for name in ("b", "a", "b"):
        with watch.stage(name):
            pass
    assert list(watch.ms) == ["b", "a"]
    assert all(ms >= 0 for ms in watch.ms.values())


def test_failed_stage_is_timed() -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.stage("a"):
        raise KeyError
    assert list(watch.ms) == ["a"]
