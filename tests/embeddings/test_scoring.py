"""The MaxSim score."""

import numpy as np
import pytest

from embeddings.scoring import maxsim
from tests.embeddings import serving


def test_each_query_vector_contributes_its_best_match() -> None:
    page = np.array([[1, 0], [0, 1]], dtype=np.float16)
    assert maxsim(np.array([[1, 0], [1, 0]]), page) == 2
    assert maxsim(np.array([[-1, 0]]), page) == 0


def test_score_equals_the_definition() -> None:
    generator = np.random.default_rng(1)
    query, page = generator.normal(size=(5, 8)), generator.normal(size=(9, 8))
    assert maxsim(query, page) == pytest.approx(serving.maxsim(query, page), abs=1e-4)
