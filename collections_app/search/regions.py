"""Where on its pages an answer lies, in boxes and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.access import Caller
from collections_app.engine.retrieval import regions, word_boxes
from collections_app.engine.retrieval.regions import Region, Regions
from collections_app.search.vector_search import Query
from collections_app.storage import vectors

_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Pointed:
    """The regions of one page, and what is written in each of them as far as that is known."""

    regions: Regions
    texts: tuple[str, ...]


def point(caller: Caller, query: Query, page_ids: Sequence[int]) -> dict[int, Pointed]:
    """The regions of these pages; inside `acting_for`."""
    found = {}
    for page_id in page_ids:
        # One at a time: a page has a quarter of a megabyte of vectors, and as much of what says where they come from.
        for placed in vectors.read_placed(caller.owner_id, [page_id]).values():
            of_page = regions.of_page(query.vectors, placed.vectors, placed.layout, weights=query.weights)
            found[page_id] = Pointed(of_page, tuple(_text(region, placed) for region in of_page.regions))
    return found


def _text(region: Region, placed: vectors.Placed) -> str:
    return " ".join(word_boxes.inside(placed.words, region.box))[:_LONGEST_TEXT]
