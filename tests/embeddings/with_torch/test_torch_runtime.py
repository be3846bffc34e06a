"""The one module that talks to torch."""

import gc
import weakref

import numpy as np
import pytest
import torch

from embeddings.backends.base import DeviceLost, OutOfMemory
from embeddings.backends.torch_runtime import ModelOutput, choose_placement, inference, unit_rows


def test_out_of_memory_is_translated() -> None:
    with pytest.raises(OutOfMemory), inference():
        torch.empty(2**60)
    with pytest.raises(OutOfMemory), inference():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_out_of_memory_error_releases_its_tensors() -> None:
    references: list[weakref.ref[torch.Tensor]] = []

    def forward() -> None:
        tensor = torch.zeros(10)
        references.append(weakref.ref(tensor))
        torch.empty(2**60)

    error: OutOfMemory | None = None
    try:
        with inference():
            forward()
    except OutOfMemory as caught:
        error = caught
        gc.collect()
        assert references[0]() is None
    assert error is not None


def test_lost_device_is_distinguished_from_an_invalid_input() -> None:
    with pytest.raises(DeviceLost), inference():
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(RuntimeError, match="shape"), inference():
        raise RuntimeError("shape mismatch")


def test_rows_are_split_by_item_and_padding_is_removed() -> None:
    vectors = torch.tensor([[[3.0, 4.0], [float("nan")] * 2], [[0.0, 2.0], [5.0, 0.0]]])
    first, second = unit_rows(ModelOutput(vectors, torch.tensor([[1, 0], [1, 1]])))
    np.testing.assert_allclose(first, [[0.6, 0.8]], atol=1e-3)
    np.testing.assert_allclose(second, [[0, 1], [1, 0]], atol=1e-3)


def test_zero_rows_are_left_out_and_nan_rows_are_not() -> None:
    vectors = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [float("nan"), 1.0]]])
    (rows,) = unit_rows(ModelOutput(vectors, torch.ones(1, 3)))
    np.testing.assert_allclose(rows[0], [0.6, 0.8], atol=1e-3)
    assert len(rows) == 2
    assert np.isnan(rows[1]).any()


def test_explicit_choices_are_used() -> None:
    placement = choose_placement(device="cpu", dtype="bfloat16", attention="eager")
    assert (placement.device, placement.dtype_name, placement.attention) == ("cpu", "bfloat16", "eager")
    assert choose_placement(device="cpu", dtype="auto", attention="auto").attention == "sdpa"
