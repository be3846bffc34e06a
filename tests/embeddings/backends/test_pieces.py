"""Word pieces, and the words that they belong to."""

import pytest

from embeddings.backends.encoders.word_rules import english
from embeddings.backends.minilm import MiniLM, splitter
from embeddings.backends.pieces import Split, tokenize


@pytest.fixture(scope="module")
def split() -> Split:
    return splitter(MiniLM().tokenizer)


def test_every_piece_of_a_word_refers_to_the_whole_word(split: Split) -> None:
    pieces = tokenize("Invoice 2024-117", split=split, rules=english)
    assert len(pieces.ids) == len(pieces.words) > 2
    assert set(pieces.words) == {("invoice",), ("2024-117",)}
    assert set(pieces.sources) == {0}


def test_every_piece_refers_to_its_input_word(split: Split) -> None:
    pieces = tokenize(["Total", "due:", "99.50"], split=split, rules=english)
    assert pieces.sources == sorted(pieces.sources)
    assert set(pieces.sources) == {0, 1, 2}
    assert pieces.words[0] == ("total",)


def test_stop_words_have_no_word_and_punctuation_gets_no_vector(split: Split) -> None:
    pieces = tokenize("the total !", split=split, rules=english)
    assert pieces.words == [(), ("total",), ()]
    assert pieces.embedded.tolist() == [True, True, False]
    assert len(tokenize("", split=split, rules=english).ids) == 0
