"""What a backend is: it prepares one item on any thread and embeds batches on one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from PIL import Image

from embeddings.contract import MultiVector, Task, VectorSpace, Word

State = Literal["loading", "ready", "draining", "failed"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to embed: a text or an RGB image; `words` are the image's text layer if the client knows it."""

    task: Task
    text: str | None = None
    image: Image.Image | None = None
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An item as its backend wants it; `tokens` is what it costs in a batch before padding."""

    tokens: int
    payload: Any


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What a backend says of itself in /health."""

    backend: str
    space: VectorSpace
    device: str = "cpu"
    dtype: str = "float32"
    languages: str = "any"
    reads_pixels: bool = True
    degraded: bool = False
    warnings: tuple[str, ...] = field(default=())


class Backend(Protocol):
    """After `load`, `prepare` is called on many threads, `collate` on one and `encode` on another one."""

    @property
    def info(self) -> BackendInfo: ...

    def load(self) -> None: ...

    def prepare(self, item: Item) -> Prepared:
        """May raise a RequestError, which then belongs to this item."""
        ...

    def collate(self, batch: Sequence[Prepared]) -> Any:
        """A batch as `encode` wants it."""
        ...

    def encode(self, batch: Any) -> list[MultiVector]:
        """One multi-vector for each, in order: rows of unit length, no padding rows, at least one row."""
        ...

    def close(self) -> None: ...


class DeviceLost(Exception):
    """The device will not answer again; only a new process helps."""


class OutOfMemory(Exception):
    """The device could not hold this batch; a smaller one may fit."""
