"""Vectors of whole texts and of passages."""

import numpy as np
import pytest

from benchmarks.quality.encoded import Encoded
from benchmarks.quality.sentences import means

SIZE = 128


def encoded(lengths: list[int]) -> Encoded:
    rows = np.random.default_rng(3).standard_normal((sum(lengths), SIZE)).astype(np.float16)
    return Encoded(rows, np.cumsum([0, *lengths[:-1]]))


def test_text_has_the_direction_of_the_mean_of_its_meanings() -> None:
    texts = encoded([7, 1, 40])
    whole = means(texts, pieces=None)
    assert whole.starts.tolist() == [0, 1, 2]
    for number in range(3):
        mean = texts.halves(number)[:, :112].astype(np.float32).mean(axis=0)
        np.testing.assert_allclose(whole.rows[number], mean / np.linalg.norm(mean), atol=1e-3)


@pytest.mark.parametrize(("length", "count"), [(1, 1), (30, 1), (31, 2), (50, 2), (51, 3)])
def test_passages_overlap_and_cover_a_text(length: int, count: int) -> None:
    texts = encoded([length, 5])
    passages = means(texts, pieces=30)
    assert passages.lengths().tolist() == [count, 1]
    last = texts.halves(0)[20 * (count - 1) :, :112].astype(np.float32).mean(axis=0)
    np.testing.assert_allclose(passages.halves(0)[-1], last / np.linalg.norm(last), atol=1e-3)
