"""multilingual-e5-small, with its real weights."""

import numpy as np
import pytest

from embeddings.backends.encoders import e5
from embeddings.backends.encoders.e5 import E5
from embeddings.backends.encoders.e5_file import E5File
from tests.embeddings.backends.encoders import reference

SENTENCES = (
    "The invoice must be paid within thirty days.",
    "Die Rechnung ist binnen 30 Tagen zu zahlen.",
    "请在三十天内付款。",
)


@pytest.fixture(scope="module")
def model() -> E5:
    return E5()


def test_vectors_are_close_to_those_of_the_reference_in_full_precision(model: E5) -> None:
    file = E5File()
    cosines = []
    for sentence in SENTENCES:
        ids = model.tokenize(sentence).ids
        # <s> passage : ... </s>
        around = np.array([0, 46692, 12, *ids, 2])
        expected = reference.encode(file.bert(), file.embed(around) + file.positions()[: len(around)])[3:-1]
        cosines += reference.cosines(model.contextual(ids, "document"), expected).tolist()
    assert np.mean(cosines) > 0.985
    assert min(cosines) > 0.95


def test_text_never_becomes_a_special_piece(model: E5) -> None:
    pieces = model.tokenize("<s> a</s><pad> <unk> <mask>")
    assert not {0, 1, 2} & set(pieces.ids.tolist())
    assert max(pieces.ids) < 250_001


def test_pieces_keep_their_words_and_their_input_words(model: E5) -> None:
    pieces = model.tokenize(["Total", "(2024-117)", "検索する", "!"])
    assert [number for number, embedded in zip(pieces.sources, pieces.embedded, strict=True) if not embedded][-1] == 3
    assert {
        source for source, of_piece in zip(pieces.sources, pieces.words, strict=True) if "2024-117" in of_piece
    } == {1}
    assert {source for source, of_piece in zip(pieces.sources, pieces.words, strict=True) if "検索" in of_piece} == {2}
    assert pieces.sources == sorted(pieces.sources)


def test_queries_and_documents_have_prompts_of_their_own(model: E5) -> None:
    pieces = model.tokenize("penguins on the ice")
    query, document = (model.meanings(pieces, task) for task in ("query", "document"))
    assert query.shape == document.shape == (pieces.embedded.sum(), 112)
    np.testing.assert_allclose(np.linalg.norm(query, axis=1), 1, atol=1e-5)
    cosines = (query * document).sum(axis=1)
    assert cosines.max() < 0.9999
    assert cosines.min() > 0.5


def test_windows_fit_the_model(model: E5) -> None:
    for count in (1, 379, 380, 1000):
        assert model.contextual(np.full(count, 5), "query").shape == (count, 384)
    assert E5File().shape.positions >= e5.WINDOW
