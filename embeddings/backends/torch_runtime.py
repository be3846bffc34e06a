"""The only module that imports torch: loading to a device, padded batches, and vectors without padding."""

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
from embeddings.backends.checkpoints import Checkpoint, WeightsMissing
from embeddings.contract import Vectors

Tensors = dict[str, torch.Tensor]
PaddingSide = Literal["left", "right"]

# Tensors without a token axis, whatever their shape.
_IMAGE_PREFIXES = ("pixel_", "image_", "video_")
_HALF = (torch.bfloat16, torch.float16)
# CPU and MPS raise a RuntimeError with one of these messages.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


@dataclass(frozen=True, slots=True)
class Placement:
    """The device, number type and attention implementation of a model."""

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
class ModelOutput:
    """The vectors (batch, length, dim) of a batch, and a mask (batch, length) that is false for padding."""

    vectors: torch.Tensor
    mask: torch.Tensor


def choose_placement(*, device: str, dtype: str, attention: str) -> Placement:
    """Resolve automatic choices: the best available device, and the number type and attention that suit it."""
    chosen = device or _best_device()
    number = _best_dtype(chosen) if dtype == "auto" else getattr(torch, dtype)
    if attention == "auto":
        flash = chosen.startswith("cuda") and number in _HALF and find_spec("flash_attn") is not None
        attention = "flash_attention_2" if flash else "sdpa"
    if chosen.startswith("cuda"):
        # The CPU only prepares images, on threads of our own.
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
    capabilities = torch.cpu.get_capabilities()
    return torch.bfloat16 if capabilities.get("avx512_bf16") or capabilities.get("amx_tile") else torch.float32


def load_model(kind: Any, checkpoint: Checkpoint, placement: Placement, *, may_lack: str | None = None) -> Any:
    """Return a model of this class, ready for inference, or raise WeightsMissing.

    A checkpoint that is an adapter, or weights whose name contains `may_lack`, need not have all that the model needs.
    """
    model, loading_info = kind.from_pretrained(
        checkpoint.name,
        **checkpoint.from_pretrained_options,
        dtype=placement.dtype,
        device_map=placement.device,
        attn_implementation=placement.attention,
        # Other formats can contain code.
        use_safetensors=True,
        output_loading_info=True,
    )
    # With an adapter, weights that the base lacks come from the adapter.
    missing = [] if checkpoint.is_adapter else sorted(loading_info["missing_keys"])
    missing = [name for name in missing if may_lack is None or may_lack not in name]
    if missing:
        raise WeightsMissing(f"{checkpoint.name} lacks weights that its model needs: " + ", ".join(missing[:5]) + ".")
    return model.eval()


@contextmanager
def inference() -> Iterator[None]:
    """Disable gradients, and translate failures of the device into DeviceLost and OutOfMemory."""
    try:
        with torch.inference_mode():
            yield
    except torch.AcceleratorError as error:
        raise DeviceLost(str(error)) from error
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and not any(
            message in str(error).lower() for message in _OUT_OF_MEMORY
        ):
            raise
        # The exception keeps the frames of the forward pass, and with them its tensors, alive.
        traceback.clear_frames(error.__traceback__)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(str(error)) from None


def pad_batch(items: Sequence[Mapping[str, torch.Tensor]], *, side: PaddingSide, pad_id: int, pin: bool) -> Tensors:
    """Combine items that were prepared separately, each with `input_ids` (1, length) and without padding.

    Tensors along the tokens are padded on `side`, with `pad_id` or 0; images of different sizes with zeros at the end.
    """
    longest = max(item["input_ids"].shape[1] for item in items)
    batch = {
        name: _concatenate([item[name] for item in items], name, items[0], longest, side, pad_id) for name in items[0]
    }
    return {name: tensor.pin_memory() if pin else tensor for name, tensor in batch.items()}


def _concatenate(
    parts: list[torch.Tensor],
    name: str,
    first: Mapping[str, torch.Tensor],
    longest: int,
    side: PaddingSide,
    pad_id: int,
) -> torch.Tensor:
    tokens = first["input_ids"].shape
    axis = next((axis for axis in range(parts[0].ndim - 1) if parts[0].shape[axis : axis + 2] == tokens), None)
    if axis is None or name.startswith(_IMAGE_PREFIXES):
        longest_part = max(part.shape[1] if part.ndim > 1 else 0 for part in parts)
        same = len({part.shape[1:] for part in parts}) == 1
        return torch.cat(parts if same else [_pad(part, 1, longest_part, "right", 0) for part in parts])
    filler = pad_id if name == "input_ids" else 0
    return torch.cat([_pad(part, axis + 1, longest, side, filler) for part in parts], dim=axis)


def _pad(part: torch.Tensor, axis: int, longest: int, side: PaddingSide, filler: int) -> torch.Tensor:
    missing = longest - part.shape[axis]
    if not missing:
        return part
    shape = list(part.shape)
    shape[axis] = missing
    padding = torch.full(shape, filler, dtype=part.dtype)
    return torch.cat([padding, part] if side == "left" else [part, padding], dim=axis)


def batch_of_one(features: Mapping[str, Sequence[int]]) -> Tensors:
    """Return the numbers of one item as tensors (1, length)."""
    return {name: torch.tensor([numbers]) for name, numbers in features.items()}


def to_device(batch: Mapping[str, torch.Tensor], placement: Placement) -> Tensors:
    """Copy the batch to the device, with floating-point tensors in the model's number type."""
    return {
        name: tensor.to(placement.device, placement.dtype if tensor.is_floating_point() else None, non_blocking=True)
        for name, tensor in batch.items()
    }


def unit_rows(output: ModelOutput) -> list[Vectors]:
    """Return the rows of each item without padding, scaled to unit length, with one copy from the device.

    Rows of zeros have no direction and are left out: some models return them for an empty part of the page.
    """
    mask = output.mask.bool() & (output.vectors.float().norm(dim=-1) != 0)
    flat = torch.nn.functional.normalize(output.vectors[mask].float(), dim=-1).half().cpu().numpy()
    ends = np.cumsum(mask.sum(dim=1).cpu().numpy())[:-1]
    return np.split(flat, ends)


def tensors_of(features: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a processor's output that the forward pass takes."""
    return {
        name: feature for name, feature in features.items() if isinstance(feature, torch.Tensor) and name != "labels"
    }


def to_array(tensor: torch.Tensor) -> NDArray[Any]:
    """Return a CPU tensor as an array."""
    array: NDArray[Any] = tensor.numpy()
    return array
