"""The synthetic pages are reproducible and have answers."""

import numpy as np

from benchmarks.search.corpus import scores
from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, VECTORS, World


def test_documents_are_reproducible() -> None:
    one, other = World().document(7).pages(), World().document(7).pages()
    assert one.shape == (PAGES_OF_A_DOCUMENT, VECTORS, DIM)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, World().document(8).pages())


def test_vectors_have_unit_length() -> None:
    lengths = np.linalg.norm(World().document(0).vectors, axis=2)
    assert np.allclose(lengths, 1, atol=1e-4)


def test_target_page_is_the_best_answer() -> None:
    world = World()
    target = world.targets[0]
    question = world._question(0, target)
    of_document = scores(world.document(target // PAGES_OF_A_DOCUMENT).pages(), [question])
    assert int(of_document.argmax()) == target % PAGES_OF_A_DOCUMENT
