"""Runs a backend: loads it, prepares on many threads, computes on one."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

from embeddings.backends.base import Backend, Info, Prepared, State
from embeddings.config import Settings
from embeddings.contract import MultiVector
from embeddings.errors import NotReady, Problem

log = logging.getLogger(__name__)
T = TypeVar("T")
Lane = Literal["text", "image"]


@dataclass(frozen=True, slots=True)
class Work:
    """One input: `make` prepares it, on any thread."""

    lane: Lane
    make: Callable[[], Prepared]


class Engine:
    """Lives on one event loop."""

    def __init__(self, backend: Backend, *, settings: Settings) -> None:
        self.backend = backend
        self.state: State = "loading"
        self._preparing = ThreadPoolExecutor(
            settings.prepare_threads or os.cpu_count() or 1, thread_name_prefix="prepare"
        )
        self._computing = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._loading: asyncio.Task[None] | None = None

    @property
    def info(self) -> Info:
        return self.backend.info

    def start(self) -> None:
        """Begin to load; `state` tells when it is done."""
        self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        try:
            await self._on(self._computing, self.backend.load)
        except Exception:
            log.exception("The model cannot be loaded.")
            self.state = "failed"
        else:
            self.state = "ready" if self.state == "loading" else self.state

    async def prepare(self, work: Callable[[], T]) -> T:
        """Do something on the threads for preparation."""
        return await self._on(self._preparing, work)

    async def embed(self, works: Sequence[Work]) -> list[MultiVector]:
        """One multi-vector for each, in order."""
        if self.state != "ready":
            raise NotReady(f"The model is {self.state}.", retry_after_s=5)
        prepared = [await self._prepared(work.make, index=index) for index, work in enumerate(works)]
        return await self._on(self._computing, lambda: self.backend.encode(prepared)) if prepared else []

    async def _prepared(self, make: Callable[[], Prepared], *, index: int) -> Prepared:
        try:
            return await self.prepare(make)
        except Problem as problem:
            raise problem.at(index) from problem

    async def _on(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def drain(self) -> None:
        """Take no more work; what was accepted is finished."""
        if self.state in ("loading", "ready"):
            self.state = "draining"

    async def stop(self) -> None:
        """Finish, and give everything back."""
        self.drain()
        if self._loading is not None:
            await self._loading
        await self._on(self._computing, self.backend.close)
        self._preparing.shutdown()
        self._computing.shutdown()
