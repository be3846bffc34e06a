"""The sentence encoder, with its real weights."""

import numpy as np
import pytest

from embeddings.backends.encoders.sentences import PASSAGE, SentenceEncoder

# Cosines by the code that the weights were published with.
KNOWN = {
    ("The invoice must be paid within thirty days.", "Die Rechnung ist binnen 30 Tagen zu zahlen."): 0.7105,
    ("The invoice must be paid within thirty days.", "请在三十天内付款。"): 0.58088,
    ("The invoice must be paid within thirty days.", "Penguins breed on the ice."): -0.01537,
}


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def test_vectors_are_those_of_the_published_model(encoder: SentenceEncoder) -> None:
    for (one, other), cosine in KNOWN.items():
        first, second = encoder.encode([*encoder.whole(one), *encoder.whole(other)])
        assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) == pytest.approx(cosine, abs=1e-4)


def test_passages_have_the_same_vectors_together_and_alone(encoder: SentenceEncoder) -> None:
    passages = [*encoder.whole("penguins"), *encoder.whole("The invoice must be paid within thirty days.")]
    alone = np.concatenate([encoder.encode([ids]) for ids in passages])
    np.testing.assert_allclose(encoder.encode(passages), alone, atol=1e-5)


def test_question_is_close_to_its_answer_in_another_language(encoder: SentenceEncoder) -> None:
    texts = (
        "Wie lange habe ich Zeit, die Rechnung zu bezahlen?",
        "The invoice must be paid within thirty days of receipt.",
        "Emperor penguins breed on the ice during the Antarctic winter.",
    )
    question, *answers = encoder.meanings([encoder.whole(text)[0] for text in texts])
    right, wrong = (float(question @ answer) for answer in answers)
    assert right > wrong + 0.2


def test_long_text_becomes_passages_of_about_equal_length(encoder: SentenceEncoder) -> None:
    text = "word " * 1000
    passages = encoder.passages(text)
    assert {len(ids) for ids in passages} <= {PASSAGE - 3, PASSAGE - 2, PASSAGE - 1, PASSAGE}
    np.testing.assert_array_equal(np.concatenate(passages), encoder.whole(text)[0])
    vectors = encoder.meanings(passages)
    assert vectors.shape == (len(passages), 112)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_text_without_pieces_has_no_passage(encoder: SentenceEncoder, text: str) -> None:
    assert encoder.passages(text) == encoder.whole(text) == []


@pytest.mark.parametrize("text", ["x" * 5000, "\ud83d\ude00" * 300, "\ud800", "\x00\x01", "<s></s>"])
def test_unusual_text_has_finite_vectors(encoder: SentenceEncoder, text: str) -> None:
    assert np.isfinite(encoder.meanings(encoder.passages(text))).all()
