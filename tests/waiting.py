"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def until(true: Callable[[], bool], *, within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)  # between two looks, with the deadline above
