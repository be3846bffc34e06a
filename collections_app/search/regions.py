"""The regions of a page that answer a query, as boxes and as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval import regions, word_boxes
from collections_app.engine.retrieval.regions import AnswerRegions
from collections_app.search.query_vectors import QueryVectors
from collections_app.storage import vectors

_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class PageRegions:
    """The regions of one page, and the text in each as far as it is known."""

    regions: AnswerRegions
    texts: tuple[str, ...]


def find_regions(tx: OwnerTransaction, query: QueryVectors, page_ids: Sequence[int]) -> dict[int, PageRegions]:
    """Return the regions of each page that has vectors."""
    by_page = {}
    for page_id in page_ids:
        # One page at a time: its vectors take a quarter of a megabyte, and so does its layout.
        for page in vectors.read_with_layout(tx, [page_id]).values():
            of_page = regions.answer_regions(query.vectors, page.vectors, page.layout, weights=query.weights)
            texts = (
                " ".join(word_boxes.words_inside(page.words, region.box))[:_MAX_TEXT] for region in of_page.regions
            )
            by_page[page_id] = PageRegions(of_page, tuple(texts))
    return by_page
