"""Admission to a queue."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from prometheus_client import CollectorRegistry, Gauge

from embeddings.errors import QueueFull
from embeddings.server.admission import Admission


@pytest.fixture
def gauge() -> Gauge:
    return Gauge("tokens", "Tokens.", registry=CollectorRegistry())


def test_full_queue_refuses_or_waits(gauge: Gauge) -> None:
    async def run() -> None:
        admission = Admission(max_tokens=10, gauge=gauge)
        async with AsyncExitStack() as holding:
            await holding.enter_async_context(admission.hold(8, wait=False))
            with pytest.raises(QueueFull) as raised:
                async with admission.hold(3, wait=False):
                    pass
            assert raised.value.retry_after_s
            async with admission.hold(2, wait=False):
                assert gauge._value.get() == 10
            waiting = asyncio.ensure_future(_hold_once(admission, 5))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert gauge._value.get() == 0

    asyncio.run(run())


def test_empty_queue_admits_any_size_and_failures_free_capacity(gauge: Gauge) -> None:
    async def run() -> None:
        admission = Admission(max_tokens=10, gauge=gauge)
        with pytest.raises(ValueError, match="failed"):
            async with admission.hold(1000, wait=False):
                raise ValueError("failed")
        async with admission.hold(10, wait=False):
            pass

    asyncio.run(run())


async def _hold_once(admission: Admission, tokens: int) -> None:
    async with admission.hold(tokens, wait=True):
        pass
