"""The backend for models that run on torch; it contains everything that they have in common."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.backends.pooling import pool
from embeddings.backends.torch_runtime import (
    ModelOutput,
    PaddingSide,
    Placement,
    Tensors,
    inference,
    pad_batch,
    to_device,
    unit_rows,
)
from embeddings.config import Settings
from embeddings.contract import Layout, MultiVector, Task, VectorSpace
from embeddings.errors import InvalidField, InvalidImage, RequestTooLarge

# Longer texts would occupy the device for seconds; they are rejected, not truncated.
_MAX_TEXT_TOKENS = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The properties of a loaded model."""

    name: str
    revision: str
    placement: Placement
    padding_side: PaddingSide
    pad_id: int
    warnings: tuple[str, ...] = ()


class TorchModel(Protocol):
    """A loaded model with its processor."""

    @property
    def info(self) -> "ModelInfo": ...

    def prepare(self, item: Item) -> tuple[Tensors, Layout | None]:
        """Return the model's inputs for one item: a batch of one, without padding. Called on many threads."""
        ...

    def forward(self, batch: Tensors, *, task: Task) -> ModelOutput:
        """Return the vectors of a batch that is on the device."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedItem:
    task: Task
    tensors: Tensors
    layout: Layout | None


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The items of a batch that go through the model together, and their positions in the batch."""

    task: Task
    positions: list[int] = field(default_factory=list)
    items: list[_PreparedItem] = field(default_factory=list)


class TorchBackend:
    def __init__(self, name: str, open_model: Callable[[Settings], TorchModel], *, settings: Settings) -> None:
        self._open = open_model
        self._settings = settings
        self._pooling = ThreadPoolExecutor(thread_name_prefix="pooling")
        self.info = BackendInfo(backend=name, space=VectorSpace(settings.model, settings.model_revision, 0))

    def load(self) -> None:
        self._model = self._open(self._settings)
        model, placement = self._model.info, self._model.info.placement
        # The dimension is measured, because configurations do not always state it correctly.
        dim = self.encode(self.collate([self.prepare(Item("query", text="dimension"))]))[0].vectors.shape[1]
        self.info = BackendInfo(
            backend=self.info.backend,
            space=VectorSpace(model.name, model.revision, dim),
            device=placement.device,
            dtype=f"{placement.dtype_name}, {placement.attention}",
            warnings=model.warnings,
        )

    def prepare(self, item: Item) -> Prepared:
        try:
            tensors, layout = self._model.prepare(item)
        except ValueError as error:
            # For example, an image a thousand times as wide as high.
            detail = f"The model cannot process this input: {error}"
            raise (InvalidImage(detail) if item.image else InvalidField(detail)) from error
        tokens = int(tensors["input_ids"].shape[1])
        if not tokens:
            raise InvalidField("The text has no tokens to embed.")
        if item.image is None and tokens > _MAX_TEXT_TOKENS:
            raise RequestTooLarge(f"The text has {tokens} tokens; at most {_MAX_TEXT_TOKENS} are accepted.")
        return Prepared(tokens, _PreparedItem(item.task, tensors, layout))

    def collate(self, batch: Sequence[Prepared]) -> list[tuple[_Group, Tensors]]:
        groups: dict[object, _Group] = {}
        for position, prepared in enumerate(batch):
            item: _PreparedItem = prepared.payload
            group = groups.setdefault((item.task, *sorted(item.tensors)), _Group(item.task))
            group.positions.append(position)
            group.items.append(item)
        return [(group, self._pad(group)) for group in groups.values()]

    def _pad(self, group: _Group) -> Tensors:
        model = self._model.info
        tensors = [item.tensors for item in group.items]
        return pad_batch(tensors, side=model.padding_side, pad_id=model.pad_id, pin=model.placement.on_cuda)

    def encode(self, batch: list[tuple[_Group, Tensors]]) -> list[MultiVector]:
        encoded: dict[int, MultiVector] = {}
        for group, tensors in batch:
            with inference():
                on_device = to_device(tensors, self._model.info.placement)
                vectors = unit_rows(self._model.forward(on_device, task=group.task))
            if group.task == "document" and self._settings.pool_factor > 1:
                vectors = list(self._pooling.map(partial(pool, factor=self._settings.pool_factor), vectors))
            for position, item, rows in zip(group.positions, group.items, vectors, strict=True):
                # If rows were merged or left out, the layout no longer applies.
                complete = len(rows) == item.tensors["input_ids"].shape[1]
                encoded[position] = MultiVector(rows, item.layout if complete else None)
        return [encoded[position] for position in sorted(encoded)]

    def close(self) -> None:
        self._pooling.shutdown(wait=False, cancel_futures=True)
