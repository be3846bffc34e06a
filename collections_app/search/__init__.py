"""Search: pages that answer a query, best first.

    result = search(caller, SearchRequest(query=TextQuery("revenue by region", at="/query"), top_k=10))
    names = [hit.page.document_name for hit in result.hits]

Other packages import from here only; `lint-imports` enforces it.
"""

from collections_app.search.errors import SearchTookTooLong
from collections_app.search.explanation import explain_page
from collections_app.search.filter_sql import metadata_matches
from collections_app.search.hit_rows import HitPage
from collections_app.search.query import CompositeQuery, ImageQuery, PageQuery, QueryInput, QueryPart, TextQuery
from collections_app.search.recall import (
    RECALL_DAYS,
    RECALL_K,
    MeasuredRecall,
    collect_recall_metrics,
    delete_old_recall,
    measured_recall,
    recall_by_day,
)
from collections_app.search.recall_sampling import compare_with_exact, sample_of
from collections_app.search.regions import PageRegions
from collections_app.search.request import Include, Mode, Ranking, SearchRequest
from collections_app.search.run import Hit, Receipt, SearchResult, search

__all__ = [
    "RECALL_DAYS",
    "RECALL_K",
    "CompositeQuery",
    "Hit",
    "HitPage",
    "ImageQuery",
    "Include",
    "MeasuredRecall",
    "Mode",
    "PageQuery",
    "PageRegions",
    "QueryInput",
    "QueryPart",
    "Ranking",
    "Receipt",
    "SearchRequest",
    "SearchResult",
    "SearchTookTooLong",
    "TextQuery",
    "collect_recall_metrics",
    "compare_with_exact",
    "delete_old_recall",
    "explain_page",
    "measured_recall",
    "metadata_matches",
    "recall_by_day",
    "sample_of",
    "search",
]
