"""A backend whose batches a test can hold, for tests of the code around a model."""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from embeddings.backends.base import BackendInfo, Item, OutOfMemory, Prepared
from embeddings.contract import MultiVector, VectorSpace
from tests.embeddings.serving import DEADLINE_S


class GatedBackend:
    """Embeds a text as one row per letter. `gate` holds each batch; `batches` lists those computed."""

    info = BackendInfo(backend="gated", space=VectorSpace("tests/gated", "1", 2))

    def __init__(
        self, *, open_gate: bool = True, capacity: int = 10**9, load: Callable[[], None] = lambda: None
    ) -> None:
        self.gate = threading.Event()
        if open_gate:
            self.gate.set()
        self.entered = threading.Semaphore(0)
        self.collated = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.capacity = capacity
        self.closed = False
        self._load = load

    def load(self) -> None:
        self._load()

    def prepare(self, item: Item) -> Prepared:
        text = item.text if item.text is not None else "".join(word.text for word in item.words or ())
        return Prepared(max(len(text), 1), text)

    def collate(self, batch: Sequence[Prepared]) -> list[str]:
        self.collated.release()
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[str]) -> list[MultiVector]:
        self.batches.append(batch)
        self.entered.release()
        assert self.gate.wait(DEADLINE_S)
        if sum(map(len, batch)) > self.capacity:
            raise OutOfMemory
        if any("boom" in text for text in batch):
            raise RuntimeError("boom")
        return [MultiVector(np.tile(np.array([0.6, 0.8], dtype=np.float16), (max(len(text), 1), 1))) for text in batch]

    def close(self) -> None:
        self.closed = True

    def wait_until_entered(self) -> None:
        """Wait until one more batch has reached the device."""
        assert self.entered.acquire(timeout=DEADLINE_S)
