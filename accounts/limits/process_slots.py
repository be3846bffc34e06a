"""Limits on what all owners together run in this process, for work that occupies a thread for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Literal

Kind = Literal["conversion", "stream", "wait"]


@contextmanager
def process_slot(kind: Kind, *, limit: int) -> Iterator[bool]:
    """Occupy one of the slots of this process for a kind of work; yield whether one was free."""
    semaphore = _semaphore(kind, limit)
    if not semaphore.acquire(blocking=False):
        yield False
        return
    try:
        yield True
    finally:
        semaphore.release()


@cache
def _semaphore(_kind: Kind, limit: int) -> BoundedSemaphore:
    return BoundedSemaphore(limit)
