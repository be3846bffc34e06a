"""One thread a product while somebody wants it, and as before afterwards."""

import numpy as np  # what it counts are the threads of NumPy's library
import pytest
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from collections_app.engine.retrieval.single_threaded_blas import SingleThreaded


def threads() -> list[int]:
    assert np.ones(1).sum() == 1
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_the_last_who_leaves_brings_the_threads_back() -> None:
    single_threaded, usual = SingleThreaded(), threads()
    alone = [1] * len(usual)
    with single_threaded():
        assert threads() == alone
        with single_threaded():
            pass
        assert threads() == alone
    assert threads() == usual


def test_an_error_inside_brings_them_back_too() -> None:
    single_threaded, usual = SingleThreaded(), threads()
    with pytest.raises(ZeroDivisionError), single_threaded():
        _ = 1 / 0
    assert threads() == usual
