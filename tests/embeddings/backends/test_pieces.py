"""Word pieces, and the words that they belong to."""

import pytest
from tokenizers import Tokenizer

from embeddings.backends.encoders.word_rules import english
from embeddings.backends.minilm import MiniLM
from embeddings.backends.pieces import tokenize


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return MiniLM().tokenizer


def test_every_piece_of_a_word_refers_to_the_whole_word(tokenizer: Tokenizer) -> None:
    pieces = tokenize("Invoice 2024-117", tokenizer=tokenizer, rules=english)
    assert len(pieces.ids) == len(pieces.words) > 2
    assert set(pieces.words) == {("invoice",), ("2024-117",)}
    assert set(pieces.sources) == {0}


def test_every_piece_refers_to_its_input_word(tokenizer: Tokenizer) -> None:
    pieces = tokenize(["Total", "due:", "99.50"], tokenizer=tokenizer, rules=english)
    assert pieces.sources == sorted(pieces.sources)
    assert set(pieces.sources) == {0, 1, 2}
    assert pieces.words[0] == ("total",)


def test_stop_words_have_no_word_and_punctuation_gets_no_vector(tokenizer: Tokenizer) -> None:
    pieces = tokenize("the total !", tokenizer=tokenizer, rules=english)
    assert pieces.words == [(), ("total",), ()]
    assert pieces.embedded.tolist() == [True, True, False]
    assert len(tokenize("", tokenizer=tokenizer, rules=english).ids) == 0
