"""What the options of requests cost, in the units of `accounts.limits.budgets`.

The figures were chosen so that a unit is about the same work everywhere; `make bench-fairness` measures them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from collections_app.engine.input.filter_conditions import And, Condition, Filter, HasKeys, Not, OneOf, Or
from collections_app.models import Document
from collections_app.search import CompositeQuery, ImageQuery, PageQuery, QueryInput, Receipt, TextQuery
from paliapi.units import MEBIBYTE

EXACT = 19
REGIONS = 9
# The reranker reads up to fifty pages, on a device that others wait for.
RERANKING = 19
IMAGE = 4
STORED_PAGE = 8
CHARACTERS_PER_UNIT = 500
HITS_PER_UNIT = 20
# There may be far fewer pages than a client asks for. If there are not, the time is charged.
MAX_FOR_HITS = 20
CONDITIONS_PER_UNIT = 4
IMAGES_PER_UNIT = 10
# An upload is limited by its bytes, by the queue and by how many run concurrently. One without effect costs 2.
BYTES_PER_UNIT = 4 * MEBIBYTE
REFUSED_UPLOAD = REPEATED_UPLOAD = 2


def of_search(body: Mapping[str, Any], query: QueryInput) -> int:
    """Return the cost of the options of a search, beyond that of a simple one."""
    units: int = min((body.get("top_k", 0) + body.get("offset", 0)) // HITS_PER_UNIT, MAX_FOR_HITS)
    units += EXACT if body.get("mode") == "exact" else 0
    units += RERANKING if body.get("rerank") else 0
    units += REGIONS if "regions" in body.get("include", ()) else 0
    parts: Iterable[QueryInput] = (
        (part.query for part in query.parts) if isinstance(query, CompositeQuery) else (query,)
    )
    units += sum(_of_part(part) for part in parts)
    return units + (of_filter(body["query_filter"]) if "query_filter" in body else 0)


def of_hit_images(hits: int) -> int:
    """Return the cost of the images of so many hits in the response."""
    return hits // IMAGES_PER_UNIT


def of_upload(size: int) -> int:
    """Return the cost of accepted files of this size in total."""
    return size // BYTES_PER_UNIT


def working_s(receipt: Receipt) -> float:
    """Return the seconds that a search worked, without those that it waited for the embeddings service."""
    return sum(ms for stage, ms in receipt.stopwatch.ms.items() if stage not in ("query", "rerank")) / 1000


def of_filter(query_filter: Filter) -> int:
    """Return the cost of a filter."""
    return _count(query_filter.condition) // CONDITIONS_PER_UNIT


def of_page_images(documents: Iterable[Document]) -> int:
    """Return the cost of all page images of documents that were read `with_state()`."""
    return sum(document.shown.stored_pages for document in documents if document.shown) // IMAGES_PER_UNIT


def of_inputs(inputs: list[str], *, task: str) -> int:
    """Return the cost of embedding these, beyond that of one short text."""
    if task == "image":
        return len(inputs) * IMAGE
    return len(inputs) - 1 + sum(len(text) // CHARACTERS_PER_UNIT for text in inputs)


def _of_part(query: QueryInput) -> int:
    if isinstance(query, TextQuery):
        return len(query.text) // CHARACTERS_PER_UNIT
    if isinstance(query, ImageQuery):
        return IMAGE
    return STORED_PAGE if isinstance(query, PageQuery) else 0


def _count(condition: Condition) -> int:
    """Return the number of conditions that compare a value."""
    if isinstance(condition, And | Or):
        return sum(_count(part) for part in condition.parts)
    if isinstance(condition, Not):
        return _count(condition.part)
    if isinstance(condition, HasKeys):
        return len(condition.keys)
    return len(condition.values) if isinstance(condition, OneOf) else 1
