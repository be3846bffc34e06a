"""The self-test of a model."""

from collections.abc import Callable

import numpy as np
import pytest

from embeddings.backends.base import BackendInfo
from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import MultiVector
from embeddings.server import self_test
from embeddings.server.self_test import SelfTestFailed
from tests.embeddings.gated import GatedBackend


class FixedBackend(GatedBackend):
    """Returns the vector that `vector_of` gives for a text."""

    info = BackendInfo(backend="fixed", space=GatedBackend.info.space, reads_pixels=False)

    def __init__(self, vector_of: Callable[[str], list[float]]) -> None:
        super().__init__()
        self._vector_of = vector_of

    def encode(self, batch: list[str]) -> list[MultiVector]:
        return [MultiVector(np.array([self._vector_of(text)], dtype=np.float16)) for text in batch]


def test_working_backend_passes() -> None:
    self_test.run(LexicalBackend())


def test_vectors_that_are_not_of_unit_length_fail() -> None:
    with pytest.raises(SelfTestFailed, match="instead of 1"):
        self_test.run(FixedBackend(lambda _: [1.0, 1.0]))


def test_model_that_cannot_tell_pages_apart_fails() -> None:
    with pytest.raises(SelfTestFailed, match="cannot search"):
        self_test.run(FixedBackend(lambda _: [1.0, 0.0]))
