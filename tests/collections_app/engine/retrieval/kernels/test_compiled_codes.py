"""Compiled MaxSim over codes is exact by each instruction, as compiled and as the Python code it is written in."""

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import CodedPage
from collections_app.engine.retrieval.kernels import dispatch
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret

pytestmark = pytest.mark.skipif(dispatch.BYTE_PRODUCTS is None, reason="this processor multiplies codes as floats")
needs_vnni = pytest.mark.skipif(dispatch.BYTE_PRODUCTS != "vpdpbusd", reason="this processor has no vpdpbusd")
INSTRUCTIONS = [pytest.param(False, id="vpdpbusd", marks=needs_vnni), pytest.param(True, id="vpmaddubsw")]


@pytest.fixture
def kernels() -> ModuleType:
    """Return the module, which only some processors can compile."""
    from collections_app.engine.retrieval.kernels import compiled_codes  # noqa: PLC0415

    return compiled_codes


def page_of_codes(codes: NDArray[np.uint8], steps: NDArray[np.float16]) -> CodedPage:
    """Return a compact form with these codes (n, dim), where dim is a multiple of eight."""
    count, dim = codes.shape
    padded = codes[np.minimum(np.arange(count + -count % 16), count - 1)]
    rows = padded.reshape(-1, 16, dim // 8, 2, 4)
    packed = (rows[:, :, :, 0] | rows[:, :, :, 1] << 4).transpose(0, 2, 1, 3)
    all_steps = steps[np.minimum(np.arange(len(padded)), count - 1)]
    header = bytes([1, 0, *dim.to_bytes(2, "little"), *count.to_bytes(4, "little")])
    return codec.load(b"".join((header, all_steps.tobytes(), packed.tobytes())))


def slow(query: NDArray[np.int8], codes: NDArray[np.uint8], steps: NDArray[np.float16]) -> NDArray[np.float32]:
    products = (2 * codes.astype(np.int64) - 15) @ query.T.astype(np.int64)
    return np.asarray((products.astype(np.float32) * steps.astype(np.float32)[:, None]).max(axis=0))


def positions(pages: list[CodedPage]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array([page.address for page in pages], np.int64), np.array([len(page) for page in pages], np.int64)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("in_steps", INSTRUCTIONS)
def test_sums_are_exact(
    monkeypatch: pytest.MonkeyPatch, kernels: ModuleType, *, compiled: bool, in_steps: bool
) -> None:
    if not compiled:
        interpret(monkeypatch, kernels)
    rng = np.random.default_rng(1)
    for dim, count in [(8, 1), (24, 9), (128, 24)]:
        query, gains = rng.integers(-127, 128, (count, dim)).astype(np.int8), rng.normal(size=count).astype(np.float32)
        codes = [rng.integers(0, 16, (size, dim)).astype(np.uint8) for size in (1, 15, 16, 17, 33)]
        steps = [rng.uniform(0.1, 2, len(page)).astype(np.float16) for page in codes]
        pages = list(map(page_of_codes, codes, steps))
        offsets, counter = 15 * query.sum(axis=1, dtype=np.float32), np.zeros(1, dtype=np.int64)
        sums = np.empty(len(pages), dtype=np.float32)
        words = query.view(np.int32)
        kernels.sum_over_code_pages(words, dim, *positions(pages), offsets, gains, counter, sums, in_steps)
        expected = [gains @ slow(query, *page) for page in zip(codes, steps, strict=True)]
        np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-2)
        assert counter[0] == len(pages) + 1


@pytest.mark.parametrize("in_steps", INSTRUCTIONS)
@pytest.mark.parametrize("level", [-127, 127])
def test_sums_of_extreme_numbers_do_not_overflow(kernels: ModuleType, level: int, *, in_steps: bool) -> None:
    query, codes = np.full((1, 1000), level, dtype=np.int8), np.full((17, 1000), 15, dtype=np.uint8)
    page, sums = page_of_codes(codes, np.ones(17, dtype=np.float16)), np.empty(1, dtype=np.float32)
    offsets, gains = np.full(1, 15_000 * level, dtype=np.float32), np.ones(1, dtype=np.float32)
    counter = np.zeros(1, dtype=np.int64)
    kernels.sum_over_code_pages(query.view(np.int32), 1000, *positions([page]), offsets, gains, counter, sums, in_steps)
    assert sums.tolist() == [15_000 * level]
