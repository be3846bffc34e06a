"""Recombined pages: their scores and compact forms are those of their vectors."""

import numpy as np
import pytest

from benchmarks.search import corpus
from benchmarks.search.many import documents
from benchmarks.search.many.documents import CHUNK, EXPANDED, SOURCES, Made, Numbering
from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, VECTORS, Floats, Halves, World
from collections_app.engine.retrieval import sketch

WITH_ANSWERS, WITHOUT = 3, 120
PLACES = [0, 9, 10, 49, EXPANDED - 1]


@pytest.fixture(scope="module")
def questions() -> list[Floats]:
    return World().questions()[:2]


@pytest.fixture(scope="module", params=[WITH_ANSWERS, WITHOUT])
def document(request: pytest.FixtureRequest, questions: list[Floats]) -> tuple[int, Made]:
    return request.param, documents.make_document(request.param, questions)


def test_scores_are_those_of_the_vectors(document: tuple[int, Made], questions: list[Floats]) -> None:
    number, made = document
    pages = np.stack(documents.vectors(number, PLACES))
    assert pages.shape == (len(PLACES), VECTORS, DIM)
    assert np.allclose(corpus.scores(pages, questions), made.scores[:, PLACES], atol=1e-4)


def test_pooled_vectors_score_as_those_that_ingestion_stores(
    document: tuple[int, Made], questions: list[Floats]
) -> None:
    number, made = document
    forms = [sketch.compact_forms(page) for page in documents.vectors(number, PLACES)]
    ingested, stored = ([one.pooled for one in forms], [made.pooled[place].tobytes() for place in PLACES])
    assert ingested[:2] == stored[:2]
    by_ingested, by_stored = (corpus.scores(_decoded(pooled), questions) for pooled in (ingested, stored))
    assert np.abs(by_ingested - by_stored).max() < 0.25  # pages differ by several times as much
    assert [len(one.sketch) for one in forms] == [made.sketches.shape[1]] * len(PLACES)


def test_documents_with_answers_are_not_recombined() -> None:
    for number, are_equal in ((WITH_ANSWERS, False), (WITHOUT, True)):
        *pages, recombined = documents.vectors(number, [*range(PAGES_OF_A_DOCUMENT), PAGES_OF_A_DOCUMENT])
        known = {vector.tobytes() for page in pages for vector in page}
        assert [vector.tobytes() in known for vector in recombined] == [are_equal] * VECTORS


def test_every_recombined_page_is_a_different_one() -> None:
    assert len({tuple(source) for source in SOURCES.tolist()}) == len(SOURCES) == EXPANDED - PAGES_OF_A_DOCUMENT
    assert min(len(set(source)) for source in SOURCES.tolist()) > 1


def test_numbers_of_chunks_are_all_numbers_and_lead_back_to_their_places() -> None:
    numbering = Numbering(3 * CHUNK)
    numbers = [numbering.of_chunk(chunk) for chunk in range(3)]
    assert np.array_equal(np.sort(np.concatenate(numbers)), np.arange(3 * CHUNK))
    of, places = numbering.places(numbers[1])
    assert of.tolist() == np.concatenate([np.repeat(range(10, 20), 10), np.repeat(range(10, 20), 90)]).tolist()
    assert places.tolist() == [*range(10)] * 10 + [*range(10, 100)] * 10


def test_part_of_a_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        Numbering(CHUNK + 1)


def _decoded(pooled: list[bytes]) -> Halves:
    pages = [sketch.decode_pooled(one, dim=DIM) for one in pooled]
    return np.stack([page.numbers * np.float16(page.step) for page in pages])
