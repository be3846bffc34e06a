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


class QueryAmbiguous(Invalid):
    code = "query_ambiguous"
    title = "Send only one of `query`, `page` or `crop`."


class QueryMixesSpaces(Conflict):
    code = "query_mixes_spaces"
    title = "The parts of the query were embedded with different models."


class QueryTooLong(TooLarge):
    code = "query_too_long"
    title = "The query has too many vectors."


class QueryOnlyAvoids(Invalid):
    code = "query_only_avoids"
    title = "At least one part of the query needs a weight above zero."


class RegionsOfTooMany(Invalid):
    code = "regions_of_too_many"
    title = "`regions` is limited to 20 hits; lower `top_k`."


class RankingNeedsWords(Invalid):
    code = "ranking_needs_words"
    title = "This ranking needs a query with text."


class RankingWithoutScores(Invalid):
    code = "ranking_without_scores"
    title = "`min_score` cannot be combined with `ranking: lexical` or `allow_degraded`: word search has no scores."
