"""The one module that talks to torch."""

import gc
import weakref

import numpy as np
import pytest
import torch

from embeddings.backends.base import DeviceLost, OutOfMemory
from embeddings.backends.torch_runtime import ModelOutput, choose_placement, inference, unit_rows


def test_memory_that_is_not_there_is_told_in_the_words_of_the_engine() -> None:
    with pytest.raises(OutOfMemory), inference():
        torch.empty(2**60)
    with pytest.raises(OutOfMemory), inference():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_what_ran_out_of_memory_holds_none_of_it_any_longer() -> None:
    seen: list[weakref.ref[torch.Tensor]] = []

    def forward() -> None:
        held = torch.zeros(10)
        seen.append(weakref.ref(held))
        torch.empty(2**60)

    problem: OutOfMemory | None = None
    try:
        with inference():
            forward()
    except OutOfMemory as found:
        problem = found
        gc.collect()
        assert seen[0]() is None
    assert problem is not None


def test_a_broken_device_is_told_apart_from_a_broken_input() -> None:
    with pytest.raises(DeviceLost), inference():
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(RuntimeError, match="shape"), inference():
        raise RuntimeError("shape mismatch")


def test_rows_are_split_by_what_is_kept() -> None:
    vectors = torch.tensor([[[3.0, 4.0], [float("nan")] * 2], [[0.0, 2.0], [5.0, 0.0]]])
    first, second = unit_rows(ModelOutput(vectors, torch.tensor([[1, 0], [1, 1]])))
    np.testing.assert_allclose(first, [[0.6, 0.8]], atol=1e-3)
    np.testing.assert_allclose(second, [[0, 1], [1, 0]], atol=1e-3)


def test_a_row_that_points_nowhere_is_left_out_and_one_that_is_no_number_is_not() -> None:
    vectors = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [float("nan"), 1.0]]])
    (rows,) = unit_rows(ModelOutput(vectors, torch.ones(1, 3)))
    np.testing.assert_allclose(rows[0], [0.6, 0.8], atol=1e-3)
    assert len(rows) == 2
    assert np.isnan(rows[1]).any()


def test_what_is_asked_for_is_what_is_used() -> None:
    chosen = choose_placement(device="cpu", dtype="bfloat16", attention="eager")
    assert (chosen.device, chosen.dtype_name, chosen.attention) == ("cpu", "bfloat16", "eager")
    assert choose_placement(device="cpu", dtype="auto", attention="auto").attention == "sdpa"
