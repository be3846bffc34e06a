"""The two forms of MiniLM."""

import numpy as np
import pytest

from embeddings.backends.encoders.minilm import EnglishMiniLM, FormerMiniLM

# Of the first version of the product, which embedded collections that must stay searchable: the first two and the last
# two numbers of each piece.
SENTENCE = "When must the invoice 2024-117 be paid?"
FORMER = [
    [0.3081, -0.1244, -0.026, 0.0832],
    [0.3096, -0.0581, 0.056, 0.0957],
    [0.3542, 0.0259, 0.0283, 0.0007],
    [0.4547, -0.0959, -0.0182, 0.1672],
    [0.2872, 0.0378, -0.1066, -0.076],
    [0.2978, -0.0235, 0.0355, -0.0161],
    [0.2875, -0.1171, 0.014, 0.0619],
    [0.3433, -0.0442, 0.0187, 0.0545],
    [0.1813, 0.046, 0.0494, 0.1195],
    [0.3965, -0.0238, -0.0205, 0.0775],
    [0.2681, -0.0073, -0.0323, -0.0277],
]  # fmt: skip


@pytest.fixture(scope="module")
def former() -> FormerMiniLM:
    return FormerMiniLM()


def test_former_model_never_changes(former: FormerMiniLM) -> None:
    meanings = former.meanings(former.tokenize(SENTENCE), "query")
    np.testing.assert_allclose(meanings[:, [0, 1, 110, 111]], FORMER, atol=1e-3)


def test_english_model_is_close_to_the_former_one(former: FormerMiniLM) -> None:
    english = EnglishMiniLM()
    for text in (SENTENCE, "Emperor penguins breed on the ice during the Antarctic winter. " * 40):
        pieces = english.tokenize(text)
        assert pieces.words == former.tokenize(text).words
        cosines = (english.meanings(pieces, "document") * former.meanings(pieces, "document")).sum(axis=1)
        assert np.mean(cosines) > 0.97
        assert cosines.min() > 0.8
