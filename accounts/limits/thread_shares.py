"""How many threads of this process each owner may hold, whatever its requests do.

No owner holds more than half of the threads. Only a few of its expensive requests run at a time and the others wait, so
that requests of other owners do not have to share the processors with many of them.
"""

import time
from collections import Counter
from functools import cache
from threading import Condition
from typing import Self, TypeVar

from django.conf import settings
from django.http.response import HttpResponseBase

from accounts.rate_limits import TooManyAtOnce

Response = TypeVar("Response", bound=HttpResponseBase)

_RETRY_AFTER_S = 1


class AccountBusy(TooManyAtOnce):
    code = "account_busy"
    title = "Too many concurrent requests for this account."


class Hold:
    """A thread that an owner holds. It is released once: by a call, or else when nothing refers to it any more.

    As a context manager, it is released if the block fails.
    """

    def __init__(self, shares: "ThreadShares", owner_id: int) -> None:
        self._shares = shares
        self._owner_id = owner_id
        self._is_held = True
        self._is_heavy = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, *_: object) -> None:
        if exc_type:
            self.release()

    def become_heavy(self, *, within_s: float) -> None:
        """Wait for a turn to do expensive work, until the release; raise AccountBusy if there is none in time."""
        if not self._is_heavy:
            self._shares._start_heavy(self._owner_id, within_s=within_s)
            self._is_heavy = True

    def keep_until_sent(self, response: Response) -> Response:
        """Release the thread when the response is closed, or is dropped without being sent; return the response."""
        response._resource_closers.append(self.release)  # type: ignore[attr-defined]
        return response

    def release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._shares._release(self._owner_id, is_heavy=self._is_heavy)

    __del__ = release


class ThreadShares:
    """The threads of a process, counted by owner."""

    def __init__(self, *, most: int, most_heavy: int) -> None:
        self._most = most
        self._most_heavy = most_heavy
        self._held: Counter[int] = Counter()
        self._heavy: Counter[int] = Counter()
        self._changed = Condition()

    def take(self, owner_id: int) -> Hold:
        """Count the current thread as the owner's, or raise AccountBusy."""
        with self._changed:
            if self._held[owner_id] >= self._most:
                raise AccountBusy(
                    f"At most {self._most} requests may run concurrently in one server process.",
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._held[owner_id] += 1
        return Hold(self, owner_id)

    def _start_heavy(self, owner_id: int, *, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        with self._changed:
            while self._heavy[owner_id] >= self._most_heavy:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AccountBusy(
                        f"At most {self._most_heavy} expensive requests may run concurrently in one server process.",
                        retry_after_s=_RETRY_AFTER_S,
                    )
            self._heavy[owner_id] += 1

    def _release(self, owner_id: int, *, is_heavy: bool) -> None:
        with self._changed:
            _decrement(self._held, owner_id)
            if is_heavy:
                _decrement(self._heavy, owner_id)
                self._changed.notify_all()


def _decrement(counter: "Counter[int]", owner_id: int) -> None:
    counter[owner_id] -= 1
    if not counter[owner_id]:
        del counter[owner_id]


def shares() -> ThreadShares:
    """Return the shares of this process."""
    env = settings.ENV
    return _shares(most=max(1, (env.web_threads + env.web_streams) // 2), most_heavy=max(1, env.web_threads // 4))


@cache
def _shares(*, most: int, most_heavy: int) -> ThreadShares:
    return ThreadShares(most=most, most_heavy=most_heavy)
