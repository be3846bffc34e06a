"""A reranker without weights, for tests of the code around one."""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from embeddings.backends.base import BackendInfo, Prepared
from embeddings.contract import MultiVector, VectorSpace
from embeddings.errors import InvalidField
from tests.embeddings.serving import DEADLINE_S

PASSAGE_WORDS = 8


class CountingReranker:
    """Scores a passage of eight words by how many of the query's words it has. `gate` holds each batch."""

    info = BackendInfo("counting", VectorSpace("tests/counting", "1", 1))

    def __init__(self, *, open_gate: bool = True, load: Callable[[], None] = lambda: None) -> None:
        self.gate = threading.Event()
        if open_gate:
            self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.closed = False
        self._load = load

    def load(self) -> None:
        self._load()

    def split(self, query: str, text: str) -> list[Prepared]:
        if len(query.split()) > PASSAGE_WORDS:
            raise InvalidField("The query is too long.")
        words = text.split()
        passages = [words[start : start + PASSAGE_WORDS] for start in range(0, max(len(words), 1), PASSAGE_WORDS)]
        return [Prepared(len(passage) + 1, (query, " ".join(passage))) for passage in passages]

    def collate(self, batch: Sequence[Prepared]) -> list[tuple[str, str]]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[tuple[str, str]]) -> list[MultiVector]:
        self.batches.append([passage for _, passage in batch])
        self.entered.release()
        assert self.gate.wait(DEADLINE_S)
        if any("boom" in passage for _, passage in batch):
            raise RuntimeError("boom")
        scores = [len(_words(query) & _words(passage)) for query, passage in batch]
        return [MultiVector(np.array([[score]], dtype=np.float16)) for score in scores]

    def close(self) -> None:
        self.closed = True

    def wait_until_entered(self) -> None:
        """Wait until one more batch has reached the device."""
        assert self.entered.acquire(timeout=DEADLINE_S)


def _words(text: str) -> set[str]:
    return set(text.lower().replace("?", "").split())
