"""The interface of a backend: prepares items on any thread, and embeds batches on one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from embeddings.contract import MultiVector, Task, VectorSpace, Word


@dataclass(frozen=True, slots=True)
class Item:
    """A text or an RGB image to embed; `words` are the image's text layer, if the client knows it."""

    task: Task
    text: str | None = None
    image: Image.Image | None = None
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An item in its backend's own form; `tokens` is its cost in a batch before padding."""

    tokens: int
    payload: Any


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """A backend's description, as returned by /health."""

    backend: str
    space: VectorSpace
    device: str = "cpu"
    dtype: str = "float32"
    languages: str = "any"
    reads_pixels: bool = True
    degraded: bool = False
    warnings: tuple[str, ...] = field(default=())
    # How many batches of pages may be encoded at the same time, and one of texts with them; 0: one batch at a time.
    concurrent_pages: int = 0


class BatchModel(Protocol):
    """What batches need of a model."""

    @property
    def info(self) -> BackendInfo: ...

    def load(self) -> None: ...

    def collate(self, batch: Sequence[Prepared]) -> Any:
        """Combine prepared items into the input of `encode`."""
        ...

    def encode(self, batch: Any) -> list[MultiVector]:
        """Return one multi-vector for each item, in order: at least one row, all of unit length, no padding."""
        ...

    def close(self) -> None: ...


class Backend(BatchModel, Protocol):
    """After `load`, `prepare` is called on many threads, `collate` on one and `encode` on another one.

    With `concurrent_pages`, `collate` and `encode` are called on many threads, too.
    """

    def prepare(self, item: Item) -> Prepared:
        """Prepare an item, or raise a RequestError, which is reported for this item alone."""
        ...


class Reranker(BatchModel, Protocol):
    """Scores pairs of a query and a passage. A score is a multi-vector of one number, not of unit length: a logit.

    After `load`, `split` is called on many threads, `collate` and `encode` on one.
    """

    def split(self, query: str, text: str) -> list[Prepared]:
        """Return a pair for each passage of the text, at least one; or raise a RequestError about the query."""
        ...


class DeviceLost(Exception):
    """The device has failed for good; only a new process can use it again."""


class OutOfMemory(Exception):
    """The batch does not fit into the device's memory; a smaller one may."""
