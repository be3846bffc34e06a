"""The built-in backend, with its real weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.backends.base import Item
from embeddings.backends.embedded import EmbeddedBackend, Window, windows
from embeddings.contract import MultiVector, Word
from embeddings.server import self_test
from tests.embeddings.serving import maxsim, text_image


@pytest.fixture(scope="module")
def backend() -> EmbeddedBackend:
    loaded = EmbeddedBackend()
    loaded.load()
    return loaded


def embed(backend: EmbeddedBackend, *items: Item) -> list[MultiVector]:
    return backend.encode(backend.collate([backend.prepare(item) for item in items]))


def query(text: str) -> Item:
    return Item("query", text=text)


def page(text: str) -> Item:
    words = tuple(Word(word, number / 1000, 0.0, (number + 1) / 1000, 1.0) for number, word in enumerate(text.split()))
    return Item("document", image=text_image("not read"), words=words)


def test_self_test_passes(backend: EmbeddedBackend) -> None:
    self_test.run(backend)


def test_page_is_read_by_ocr_and_its_words_have_boxes(backend: EmbeddedBackend) -> None:
    image = text_image("Total due: 1,250.00 EUR", "Invoice 2024-117")
    prepared = backend.prepare(Item("document", image=image))
    assert {"total", "due", "1,250.00", "eur", "invoice", "2024-117"} <= set(prepared.payload.pieces.words)
    page_vectors = backend.encode([prepared.payload])[0]
    assert page_vectors.layout is not None
    assert len(page_vectors.layout["boxes"]) == len(page_vectors.vectors)
    x0, y0, x1, y1 = page_vectors.layout["boxes"][0] or []
    assert (30 / 640 - 0.05) < x0 < x1 < 0.3
    assert (30 / 400 - 0.05) < y0 < y1 < 0.25
    assert "2024-117" in " ".join(str(word[0]) for word in page_vectors.layout["words"])


def test_words_from_the_client_are_not_returned_as_ocr_words(backend: EmbeddedBackend) -> None:
    (embedded,) = embed(backend, page("Total due"))
    assert embedded.layout is not None
    assert "words" not in embedded.layout


def test_page_is_found_by_meaning_without_a_common_word(backend: EmbeddedBackend) -> None:
    query_vectors, *pages = embed(
        backend,
        query("How long do I have to settle the bill?"),
        page("The invoice must be paid within thirty days of receipt."),
        page("Emperor penguins breed on the ice during the Antarctic winter."),
        page("Water the tomatoes every morning and feed them once a week."),
    )
    assert np.argmax([maxsim(query_vectors.vectors, candidate.vectors) for candidate in pages]) == 0


def test_numbers_with_the_same_meaning_are_distinguished(backend: EmbeddedBackend) -> None:
    numbers = ["2024-117", "2024-118", "2024-171", "2042-117"]
    query_vectors, *pages = embed(
        backend, query("invoice 2024-171"), *(page(f"Invoice {number} total due 99.50") for number in numbers)
    )
    scores = np.array([maxsim(query_vectors.vectors, candidate.vectors) for candidate in pages])
    assert np.argmax(scores) == 2
    assert np.sort(scores)[-1] - np.sort(scores)[-2] > 0.05


def test_vectors_do_not_depend_on_the_batch(backend: EmbeddedBackend) -> None:
    items = [query("penguins"), page("word " * 700), query(""), page("a b c"), query("penguins swim in the sea " * 60)]
    batch = embed(backend, *items)
    for item, batched in zip(items, batch, strict=True):
        alone = embed(backend, item)[0].vectors.astype(np.float32)
        cosine = (alone * batched.vectors.astype(np.float32)).sum(axis=1)
        assert cosine.min() > 0.999


def test_every_row_has_unit_length_and_long_texts_are_not_truncated(backend: EmbeddedBackend) -> None:
    long = " ".join(f"word{number}" for number in range(2000))
    for embedded in embed(backend, query(long), page(long), query("?!"), page("... ,"), page("x" * 900)):
        np.testing.assert_allclose(np.linalg.norm(embedded.vectors.astype(np.float32), axis=1), 1, atol=2e-3)
    assert set(long.split()) <= set(backend.prepare(page(long)).payload.pieces.words)


def test_page_without_words_matches_nothing(backend: EmbeddedBackend) -> None:
    query_vectors, empty = embed(
        backend, query("total amount due"), Item("document", image=text_image(size=(200, 200)))
    )
    assert len(empty.vectors) == 1
    assert abs(maxsim(query_vectors.vectors, empty.vectors)) < 0.3


@given(st.integers(0, 5000))
def test_windows_use_every_piece_once_and_with_context(count: int) -> None:
    chosen = windows(count)
    used = [number for window in chosen for number in range(window.first, window.last)]
    assert used == list(range(count))
    for window in chosen:
        assert 0 <= window.start <= window.first <= window.last <= window.stop <= count
        assert window.stop - window.start <= 254
        assert window.first == 0 or window.first - window.start >= 32
        assert window.last == count or window.stop - window.last >= 32


def test_short_text_is_one_window() -> None:
    assert windows(254) == [Window(0, 254, 0, 254)]
    assert len(windows(255)) == 2
