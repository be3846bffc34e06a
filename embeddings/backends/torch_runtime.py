"""What the backends need of torch: a device, batches of equal length, and rows that come back without padding.

No other module imports torch, so that everything else runs where it is not installed.
"""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.backends.base import DeviceLost, OutOfMemory
from embeddings.contract import Vectors

Tensors = dict[str, torch.Tensor]
Side = Literal["left", "right"]

# Tensors that do not run along the tokens, whatever their shape is.
_OF_IMAGES = ("pixel_", "image_", "video_")
_HALF = (torch.bfloat16, torch.float16)
# CPU and MPS have no exception of their own for this.
_NO_ROOM = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model runs, in which number type and with which attention."""

    device: str
    dtype: torch.dtype
    attention: str

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def on_cuda(self) -> bool:
        return self.device.startswith("cuda")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a model made of a batch: vectors (batch, length, dim), and which of them (batch, length) are no padding."""

    vectors: torch.Tensor
    kept: torch.Tensor


def choose_placement(*, device: str, dtype: str, attention: str) -> Placement:
    """The device that was asked for or the best there is, and what suits it."""
    chosen = device or _best_device()
    number = _best_dtype(chosen) if dtype == "auto" else getattr(torch, dtype)
    if attention == "auto":
        flash = chosen.startswith("cuda") and number in _HALF and find_spec("flash_attn") is not None
        attention = "flash_attention_2" if flash else "sdpa"
    if chosen.startswith("cuda"):
        # The CPU only prepares images then, and that is spread over threads of our own.
        torch.set_num_threads(1)
    return Placement(chosen, number, attention)


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _best_dtype(device: str) -> torch.dtype:
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.startswith("mps"):
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_tile") else torch.float32


@contextmanager
def computing() -> Iterator[None]:
    """No gradients; what the device says when it fails, in the words of the engine."""
    try:
        with torch.inference_mode():
            yield
    except torch.AcceleratorError as problem:
        raise DeviceLost(str(problem)) from problem
    except (torch.OutOfMemoryError, RuntimeError) as problem:
        if not isinstance(problem, torch.OutOfMemoryError) and not any(
            words in str(problem).lower() for words in _NO_ROOM
        ):
            raise
        # The frames of the forward pass hold its tensors for as long as the exception lives.
        traceback.clear_frames(problem.__traceback__)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(str(problem)) from None


def lay_out(items: Sequence[Mapping[str, torch.Tensor]], *, side: Side, pad_id: int, pin: bool) -> Tensors:
    """One batch of items that were prepared alone. Each has `input_ids` (1, length) and is not padded.

    What runs along the tokens is padded on `side`, with `pad_id` or 0; images of different size with zeros at the end.
    """
    longest = max(item["input_ids"].shape[1] for item in items)
    batch = {name: _joined([item[name] for item in items], name, items[0], longest, side, pad_id) for name in items[0]}
    return {name: tensor.pin_memory() if pin else tensor for name, tensor in batch.items()}


def _joined(
    parts: list[torch.Tensor], name: str, first: Mapping[str, torch.Tensor], longest: int, side: Side, pad_id: int
) -> torch.Tensor:
    tokens = first["input_ids"].shape
    axis = next((at for at in range(parts[0].ndim - 1) if parts[0].shape[at : at + 2] == tokens), None)
    if axis is None or name.startswith(_OF_IMAGES):
        longest_of_these = max(part.shape[1] if part.ndim > 1 else 0 for part in parts)
        same = len({part.shape[1:] for part in parts}) == 1
        return torch.cat(parts if same else [_padded(part, 1, longest_of_these, "right", 0) for part in parts])
    filler = pad_id if name == "input_ids" else 0
    return torch.cat([_padded(part, axis + 1, longest, side, filler) for part in parts], dim=axis)


def _padded(part: torch.Tensor, axis: int, longest: int, side: Side, filler: int) -> torch.Tensor:
    missing = longest - part.shape[axis]
    if not missing:
        return part
    shape = list(part.shape)
    shape[axis] = missing
    padding = torch.full(shape, filler, dtype=part.dtype)
    return torch.cat([padding, part] if side == "left" else [part, padding], dim=axis)


def moved(batch: Mapping[str, torch.Tensor], placement: Placement) -> Tensors:
    """The batch on the device; whatever is not a whole number in the model's type."""
    return {
        name: tensor.to(placement.device, placement.dtype if tensor.is_floating_point() else None, non_blocking=True)
        for name, tensor in batch.items()
    }


def kept_rows(rows: Rows) -> list[Vectors]:
    """The rows that are kept, of unit length, an array for each item; one copy from the device.

    A row of zeros points nowhere and is left out: some models give it for an empty part of the page.
    """
    kept = rows.kept.bool() & (rows.vectors.float().norm(dim=-1) != 0)
    flat = torch.nn.functional.normalize(rows.vectors[kept].float(), dim=-1).half().cpu().numpy()
    ends = np.cumsum(kept.sum(dim=1).cpu().numpy())[:-1]
    return np.split(flat, ends)


def tensors_of(features: Mapping[str, Any]) -> Tensors:
    """What a processor made, without what is not for the forward pass."""
    return {name: made for name, made in features.items() if isinstance(made, torch.Tensor) and name != "labels"}


def as_array(tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor of the CPU as an array."""
    found: NDArray[Any] = tensor.numpy()
    return found
