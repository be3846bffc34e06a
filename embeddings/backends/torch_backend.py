"""A backend around any model that torch runs: what is the same for all of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.backends.pooling import pool
from embeddings.backends.torch_runtime import Placement, Rows, Side, Tensors, computing, kept_rows, lay_out, moved
from embeddings.config import Settings
from embeddings.contract import Layout, MultiVector, Task, VectorSpace
from embeddings.errors import InvalidField, InvalidImage, RequestTooLarge

# Longer texts would take the device for seconds; they are refused, not cut off.
_MOST_TEXT_TOKENS = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a model once it is loaded."""

    name: str
    revision: str
    placement: Placement
    side: Side
    pad_id: int
    warnings: tuple[str, ...] = ()


class Model(Protocol):
    """Weights that are loaded, with what they need around them."""

    @property
    def about(self) -> "ModelInfo": ...

    def tensors(self, item: Item) -> tuple[Tensors, Layout | None]:
        """One item as the model takes it, in a batch of one, without padding. Called on many threads."""
        ...

    def rows(self, batch: Tensors, *, task: Task) -> Rows:
        """The vectors of a batch that is on the device, and which of them are kept."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """An item that is prepared."""

    task: Task
    tensors: Tensors
    layout: Layout | None


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Items of a batch that go through the model together; `at` are their places in the batch."""

    task: Task
    at: list[int] = field(default_factory=list)
    items: list[_Ready] = field(default_factory=list)


class TorchBackend:
    def __init__(self, name: str, open_model: Callable[[Settings], Model], *, settings: Settings) -> None:
        self._open = open_model
        self._settings = settings
        self._pooling = ThreadPoolExecutor(thread_name_prefix="pooling")
        self.info = BackendInfo(backend=name, space=VectorSpace(settings.model, settings.model_revision, 0))

    def load(self) -> None:
        self._model = self._open(self._settings)
        about, placement = self._model.about, self._model.about.placement
        # The model itself is asked for its dimension: what configurations say of it is not always so.
        dim = self.encode(self.collate([self.prepare(Item("query", text="dimension"))]))[0].vectors.shape[1]
        self.info = BackendInfo(
            backend=self.info.backend,
            space=VectorSpace(about.name, about.revision, dim),
            device=placement.device,
            dtype=f"{placement.dtype_name}, {placement.attention}",
            warnings=about.warnings,
        )

    def prepare(self, item: Item) -> Prepared:
        try:
            tensors, layout = self._model.tensors(item)
        except ValueError as problem:
            # Pages a thousand times as wide as high, and the like.
            told = f"The model cannot take this: {problem}"
            raise (InvalidImage(told) if item.image else InvalidField(told)) from problem
        tokens = int(tensors["input_ids"].shape[1])
        if not tokens:
            raise InvalidField("There is nothing in this text to embed.")
        if item.image is None and tokens > _MOST_TEXT_TOKENS:
            raise RequestTooLarge(f"This text has {tokens} tokens; at most {_MOST_TEXT_TOKENS} are taken.")
        return Prepared(tokens, _Ready(item.task, tensors, layout))

    def collate(self, batch: Sequence[Prepared]) -> list[tuple[_Group, Tensors]]:
        groups: dict[object, _Group] = {}
        for number, one in enumerate(batch):
            ready: _Ready = one.payload
            group = groups.setdefault((ready.task, *sorted(ready.tensors)), _Group(ready.task))
            group.at.append(number)
            group.items.append(ready)
        return [(group, self._laid_out(group)) for group in groups.values()]

    def _laid_out(self, group: _Group) -> Tensors:
        about = self._model.about
        tensors = [one.tensors for one in group.items]
        return lay_out(tensors, side=about.side, pad_id=about.pad_id, pin=about.placement.on_cuda)

    def encode(self, batch: list[tuple[_Group, Tensors]]) -> list[MultiVector]:
        found: dict[int, MultiVector] = {}
        for group, tensors in batch:
            with computing():
                on_device = moved(tensors, self._model.about.placement)
                vectors = kept_rows(self._model.rows(on_device, task=group.task))
            if group.task == "document" and self._settings.pool_factor > 1:
                vectors = list(self._pooling.map(partial(pool, factor=self._settings.pool_factor), vectors))
            for number, item, rows in zip(group.at, group.items, vectors, strict=True):
                # Where rows were joined or left out, the layout does not fit any more.
                fits = len(rows) == item.tensors["input_ids"].shape[1]
                found[number] = MultiVector(rows, item.layout if fits else None)
        return [found[number] for number in sorted(found)]

    def close(self) -> None:
        self._pooling.shutdown(wait=False, cancel_futures=True)
