"""BLAS runs on one thread inside the context, and as before afterwards."""

import numpy as np  # loads the BLAS whose threads are counted
import pytest
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from collections_app.engine.retrieval.single_threaded_blas import SingleThreaded


def threads() -> list[int]:
    assert np.ones(1).sum() == 1
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_threads_are_restored_when_the_last_context_is_left() -> None:
    single_threaded, usual = SingleThreaded(), threads()
    alone = [1] * len(usual)
    with single_threaded():
        assert threads() == alone
        with single_threaded():
            pass
        assert threads() == alone
    assert threads() == usual


def test_threads_are_restored_after_an_error() -> None:
    single_threaded, usual = SingleThreaded(), threads()
    with pytest.raises(ZeroDivisionError), single_threaded():
        _ = 1 / 0
    assert threads() == usual
