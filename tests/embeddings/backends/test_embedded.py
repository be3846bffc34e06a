"""The built-in backend, with its real weights."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from embeddings.backends.base import Item, Prepared
from embeddings.backends.embedded import DEFAULT, ENGLISH, FORMER, MODELS, MULTILINGUAL, EmbeddedBackend, make
from embeddings.config import ConfigError
from embeddings.contract import MultiVector, Word
from embeddings.server import self_test
from tests.embeddings.serving import maxsim, settings, text_image


@pytest.fixture(scope="module", params=MODELS)
def backend(request: pytest.FixtureRequest) -> EmbeddedBackend:
    loaded = EmbeddedBackend(MODELS[request.param])
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def multilingual() -> EmbeddedBackend:
    loaded = EmbeddedBackend(MULTILINGUAL)
    loaded.load()
    return loaded


def embed(backend: EmbeddedBackend, *items: Item) -> list[MultiVector]:
    return backend.encode(backend.collate([backend.prepare(item) for item in items]))


def words_of(prepared: Prepared) -> set[str]:
    return set(itertools.chain.from_iterable(prepared.payload.pieces.words))


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
    assert {"total", "due", "1,250.00", "eur", "invoice", "2024-117"} <= words_of(prepared)
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
    assert set(long.split()) <= words_of(backend.prepare(page(long)))


def test_page_without_words_matches_nothing(backend: EmbeddedBackend) -> None:
    query_vectors, empty = embed(
        backend, query("total amount due"), Item("document", image=text_image(size=(200, 200)))
    )
    assert len(empty.vectors) == 1
    assert abs(maxsim(query_vectors.vectors, empty.vectors)) < 0.3


GERMAN_PAGES = (
    "Die Rechnung ist innerhalb von dreißig Tagen nach Erhalt zu bezahlen.",
    "Kaiserpinguine brüten während des antarktischen Winters auf dem Eis.",
    "Die Tomaten jeden Morgen gießen und einmal in der Woche düngen.",
)


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("When do I have to settle the bill?", 0),
        ("Quand faut-il payer la facture ?", 0),
        ("¿Dónde crían los pingüinos?", 1),
        ("Quanto spesso devo annaffiare i pomodori?", 2),
        ("帝企鹅在哪里繁殖", 1),
        ("トマトにはいつ水をやりますか", 2),
        ("Когда нужно оплатить счёт?", 0),
    ],
)
def test_page_is_found_in_another_language(multilingual: EmbeddedBackend, question: str, right: int) -> None:
    query_vectors, *pages = embed(multilingual, query(question), *map(page, GERMAN_PAGES))
    assert np.argmax([maxsim(query_vectors.vectors, candidate.vectors) for candidate in pages]) == right


def test_words_of_a_language_without_blanks_are_distinguished(multilingual: EmbeddedBackend) -> None:
    names = ("山田電機株式会社", "川田電気株式会社", "山本機械株式会社")
    query_vectors, *pages = embed(multilingual, query("山本機械"), *(page(f"請求書 {name} 御中") for name in names))
    assert np.argmax([maxsim(query_vectors.vectors, candidate.vectors) for candidate in pages]) == 2


def test_same_item_has_the_same_vectors_on_many_threads(multilingual: EmbeddedBackend) -> None:
    items = [page(text) for text in GERMAN_PAGES * 4]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda item: embed(multilingual, item)[0].vectors, items))
    for number, vectors in enumerate(together):
        np.testing.assert_array_equal(vectors, together[number % 3])


def test_queries_do_not_wait_for_cores_that_pages_use(multilingual: EmbeddedBackend) -> None:
    multilingual._free_cores = threading.BoundedSemaphore(1)
    with multilingual._free_cores:
        assert len(embed(multilingual, query("penguins"))[0].vectors) >= 1
    assert len(embed(multilingual, page("penguins"))[0].vectors) >= 1


def test_model_is_chosen_by_its_name() -> None:
    assert make(settings(COLPALI_BACKEND="embedded")).info.space == DEFAULT.space
    for name in MODELS:
        assert make(settings(COLPALI_BACKEND="embedded", COLPALI_MODEL_NAME=name)).info.space.model == name
    assert make(settings(COLPALI_BACKEND="auto", COLPALI_MODEL_NAME=ENGLISH.name)).info.space == ENGLISH.space


def test_spaces_of_stored_collections_keep_their_names() -> None:
    assert (FORMER.space.model, FORMER.space.revision, FORMER.space.dim) == ("paliapi/embedded-minilm-ocr-v1", "1", 128)
    assert (MULTILINGUAL.space.model, MULTILINGUAL.space.revision) == ("paliapi/embedded-e5-ocr-v1", "3")
    assert all(model.space.text_only for model in MODELS.values())


def test_unknown_model_is_refused_with_the_names_of_the_others() -> None:
    with pytest.raises(ConfigError, match=f"COLPALI_MODEL_NAME must be one of {MULTILINGUAL.name}, "):
        make(settings(COLPALI_BACKEND="embedded", COLPALI_MODEL_NAME="vidore/colpali"))
