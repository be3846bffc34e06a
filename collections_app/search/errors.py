"""Errors about queries and rankings."""

from paliapi.errors import Conflict, Invalid, TooLarge, Unavailable


class PageNotSearchable(Conflict):
    code = "page_not_searchable"
    title = "This page has no vectors, so it cannot be used as a query."


class PageWithoutLayout(Conflict):
    code = "page_without_layout"
    title = "This page has no layout data, so it cannot be cropped."


class CropEmpty(Invalid):
    code = "crop_empty"
    title = "The box covers no part of this page."


class SearchTookTooLong(Unavailable):
    code = "search_took_too_long"
    title = "The search timed out; narrow it down, or leave out `mode: exact`."


class QueryMixesSpaces(Conflict):
    code = "query_mixes_spaces"
    title = "The parts of the query were embedded with different models."


class QueryTooLong(TooLarge):
    code = "query_too_long"
    title = "The query has too many vectors."


class QueryTooLongForExact(TooLarge):
    code = "query_too_long_for_exact"
    title = "The query has more than 512 vectors, too many for `mode: exact`; leave that out, or shorten the query."


class RankingNeedsWords(Invalid):
    code = "ranking_needs_words"
    title = "This ranking needs a query with text."
