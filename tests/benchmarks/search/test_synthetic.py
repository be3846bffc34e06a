"""The pages of the benchmarks are the same every time, and have answers."""

import numpy as np

from benchmarks.search.corpus import scores
from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, VECTORS, World


def test_a_document_is_the_same_every_time() -> None:
    one, other = World().document(7).pages(), World().document(7).pages()
    assert one.shape == (PAGES_OF_A_DOCUMENT, VECTORS, DIM)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, World().document(8).pages())


def test_vectors_have_unit_length() -> None:
    lengths = np.linalg.norm(World().document(0).vectors, axis=2)
    assert np.allclose(lengths, 1, atol=1e-4)


def test_a_question_is_answered_best_by_its_own_page() -> None:
    world = World()
    target = world.targets[0]
    question = world._question(0, target)
    of_document = scores(world.document(target // PAGES_OF_A_DOCUMENT).pages(), [question])
    assert int(of_document.argmax()) == target % PAGES_OF_A_DOCUMENT
