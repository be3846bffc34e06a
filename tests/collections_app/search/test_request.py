"""The request of a search."""

from collections_app.search import SearchRequest, TextQuery


def test_limit_includes_the_hits_that_the_offset_skips() -> None:
    request = SearchRequest(query=TextQuery("lighthouse", at="/query"), top_k=10, offset=20)
    assert request.limit == 30


def test_defaults_search_everything_for_three_pages() -> None:
    request = SearchRequest(query=TextQuery("lighthouse", at="/query"))
    assert (request.top_k, request.limit, request.collections, request.query_filter) == (3, 3, None, None)
    assert (request.ranking, request.mode, request.allow_degraded) == ("auto", "auto", False)
