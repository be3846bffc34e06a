"""Admission to a queue: a limited number of tokens may be waiting at a time."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from embeddings.errors import QueueFull


class Admission:
    """Limits the tokens of one queue. Belongs to one event loop."""

    def __init__(self, *, max_tokens: int, gauge: Gauge) -> None:
        self.max_tokens = max_tokens
        self._gauge = gauge  # shared with other queues
        self._pending = 0
        self._tokens_per_s = 0.0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, tokens: int, *, wait: bool) -> AsyncIterator[None]:
        """Hold capacity for `tokens` inside the context. An empty queue admits a request of any size.

        Without `wait`, raise QueueFull instead of waiting.
        """
        async with self._changed:
            if wait:
                await self._changed.wait_for(lambda: self._fits(tokens))
            elif not self._fits(tokens):
                raise QueueFull(retry_after_s=self._seconds_until_capacity())
            self._add(tokens)
        began = time.monotonic()
        try:
            yield
            speed = tokens / max(time.monotonic() - began, 1e-3)
            self._tokens_per_s += 0.2 * (speed - self._tokens_per_s) if self._tokens_per_s else speed
        finally:
            async with self._changed:
                self._add(-tokens)
                self._changed.notify_all()

    def _fits(self, tokens: int) -> bool:
        return self._pending == 0 or self._pending + tokens <= self.max_tokens

    def _add(self, tokens: int) -> None:
        self._pending += tokens
        self._gauge.inc(tokens)

    def _seconds_until_capacity(self) -> int:
        return min(max(math.ceil(self._pending / max(self._tokens_per_s, 1.0)), 1), 60)
