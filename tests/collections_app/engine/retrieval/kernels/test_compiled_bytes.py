"""Compiled MaxSim over bytes is exact, by each instruction, for sizes that do not fill a register as well."""

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.kernels import dispatch
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret
from tests.collections_app.engine.retrieval.kernels.test_compiled_maxsim import addresses_and_lengths

pytestmark = pytest.mark.skipif(dispatch.BYTE_PRODUCTS is None, reason="this processor multiplies bytes as floats")
needs_vnni = pytest.mark.skipif(dispatch.BYTE_PRODUCTS != "vpdpbusd", reason="this processor has no vpdpbusd")
INSTRUCTIONS = [pytest.param(False, id="vpdpbusd", marks=needs_vnni), pytest.param(True, id="vpmaddubsw")]


@pytest.fixture
def kernels() -> ModuleType:
    """Return the module, which only some processors can compile."""
    from collections_app.engine.retrieval.kernels import compiled_bytes  # noqa: PLC0415

    return compiled_bytes


def as_words(query: NDArray[np.int8]) -> NDArray[np.int32]:
    return np.pad(query, ((0, 0), (0, -query.shape[1] % 4))).view(np.int32)


def slow(query: NDArray[np.int8], page: NDArray[np.int8]) -> NDArray[np.int64]:
    return np.asarray((query.astype(np.int64) @ page.astype(np.int64).T).max(axis=1))


@pytest.mark.parametrize("in_steps", INSTRUCTIONS)
@pytest.mark.parametrize(("count", "dim"), [(1, 1), (2, 128), (3, 7), (7, 64), (8, 65), (9, 130), (24, 300)])
def test_best_product_of_each_vector_is_exact(kernels: ModuleType, count: int, dim: int, *, in_steps: bool) -> None:
    rng = np.random.default_rng(count)
    query, best = rng.integers(-64, 65, size=(count, dim)).astype(np.int8), np.empty(count, dtype=np.int32)
    for size in (1, 5, 8, 9, 15, 16, 17, 40, 128):
        page = rng.integers(-128, 128, size=(size, dim)).astype(np.int8)
        kernels.best_byte_products(as_words(query), page, best, in_steps)
        assert np.array_equal(best - 128 * query.sum(axis=1, dtype=np.int64), slow(query, page))


@pytest.mark.parametrize("in_steps", INSTRUCTIONS)
@pytest.mark.parametrize("number", [-128, 127])
@pytest.mark.parametrize("level", [-64, 64])
def test_sums_of_extreme_numbers_do_not_overflow(
    kernels: ModuleType, level: int, number: int, *, in_steps: bool
) -> None:
    query, page = np.full((8, 1000), level, dtype=np.int8), np.full((33, 1000), number, dtype=np.int8)
    best = np.empty(8, dtype=np.int32)
    kernels.best_byte_products(as_words(query), page, best, in_steps)
    assert set(best - 128 * query.sum(axis=1, dtype=np.int64)) == {1000 * level * number}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("in_steps", INSTRUCTIONS)
def test_pages_are_read_at_their_addresses(
    monkeypatch: pytest.MonkeyPatch, kernels: ModuleType, *, compiled: bool, in_steps: bool
) -> None:
    if not compiled:
        interpret(monkeypatch, kernels)
    rng = np.random.default_rng(2)
    pages = [rng.integers(-128, 128, size=(size, 70)).astype(np.int8) for size in (1, 5, 33)]
    query, gains = rng.integers(-64, 65, size=(9, 70)).astype(np.int8), rng.normal(size=9).astype(np.float32)
    sums, counter = np.empty(len(pages), dtype=np.float32), np.zeros(1, dtype=np.int64)
    offsets, positions = 128 * query.sum(axis=1, dtype=np.int32), addresses_and_lengths(pages)
    kernels.sum_over_byte_pages(as_words(query), 70, *positions, offsets, gains, counter, sums, in_steps)
    np.testing.assert_allclose(sums, [gains @ slow(query, page) for page in pages], rtol=1e-5, atol=1e-2)
    assert counter[0] == len(pages) + 1
