"""Text search, with Postgres's full-text index.

Pages that contain an identifier of the query come first, if these are few. Otherwise rare words count more than common
ones, repetition adds a little, and long pages lose a little. It takes two statements: the first asks only the index
which pages have which word; the second reads and ranks the best of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from numpy.typing import NDArray

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval import fusion
from collections_app.engine.retrieval.identifiers import identifiers
from collections_app.models import Page
from collections_app.search import scope
from collections_app.search.context import SearchContext

_DIGIT = re.compile(r"\d")
_MAX_PAGES_PER_WORD = 1000
_MAX_WORDS = 64
# Reading a page takes longer than finding it in the index. This bounds pages times words.
_MAX_RANKED = 2000


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A page with words of the query. Scores can be compared within one result only."""

    page_id: int
    score: float
    exact: bool  # the page contains an identifier of the query that few pages contain


@dataclass(frozen=True, slots=True, eq=False)
class TextMatches:
    """The best pages with words of the query, best first, and the share of the words of every page that has any."""

    ranked: list[TextMatch]
    _pages: NDArray[np.int64]  # ascending
    _shares: NDArray[np.float64]

    def shares_of(self, page_ids: Sequence[int]) -> dict[int, float]:
        """Return the share of the query's words that each page has, by their rarity; none for pages without any."""
        chosen = np.isin(self._pages, page_ids)
        return dict(zip(self._pages[chosen].tolist(), self._shares[chosen].tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Postings:
    """Pairs of a word (by its index) and a page that has it, as two arrays of the same length."""

    words: NDArray[np.int64]
    pages: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> "_Postings":
        return _Postings(self.words[chosen], self.pages[chosen])


def may_contain_identifier(text: str) -> bool:
    """Return whether the text may contain an identifier or a date. Most queries don't."""
    return bool(_DIGIT.search(text) or identifiers(text))


def matches(context: SearchContext, text: str, *, pages_in_scope: int) -> TextMatches:
    """Return the pages in scope that have words of the text, of which the best few hundred are ranked."""
    terms = _terms(text)
    words = list(terms)
    postings = _postings(context, [f"'#{context.tx.owner_id}' & '{word}'" for word in words])
    if len(postings.pages) == 0:
        return TextMatches([], np.empty(0, dtype=np.int64), np.empty(0))
    counts = np.bincount(postings.words, minlength=len(words))
    rarity = np.log1p((max(pages_in_scope, int(counts.max())) - counts + 0.5) / (counts + 0.5))
    pages, shares = _shares(postings, rarity, is_known=counts < _MAX_PAGES_PER_WORD)
    is_rare = np.array(list(terms.values())) & (counts <= fusion.MAX_PAGES_PER_IDENTIFIER)
    exact = np.unique(postings.where(is_rare[postings.words]).pages)
    if (counts >= _MAX_PAGES_PER_WORD).any():
        postings = _without_common_words(context, words, postings, counts)
    best = _preselect(postings, rarity, exact, limit=max(50, min(500, _MAX_RANKED // len(words))))
    scores = _rank(context.tx, best, {word: float(rarity[index]) for index, word in enumerate(words)})
    by_score = [TextMatch(page_id, score, page_id in exact) for page_id, score in scores]
    return TextMatches(sorted(by_score, key=lambda match: not match.exact), pages, shares)


def _shares(
    postings: _Postings, rarity: NDArray[np.float64], *, is_known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pages that have words whose pages are known, and their share of the rarity of all such words."""
    known = postings.where(is_known[postings.words])
    pages, inverse = np.unique(known.pages, return_inverse=True)
    total = max(float(rarity[is_known].sum()), 1e-9)
    return pages, np.bincount(inverse, weights=rarity[known.words], minlength=len(pages)) / total


def _terms(text: str) -> dict[str, bool]:
    """Return the words of a query as the index has them, letters and digits only, and whether each is an identifier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM paliapi_asked(%s)", [text])
        joined, words = cursor.fetchone() or ([], [])
    names = identifiers(text)
    # The longest words are identifiers, or at least not the most common ones.
    longest = sorted({*joined, *words, *names}, key=lambda word: (-len(word), word))[:_MAX_WORDS]
    return {word: word in names for word in longest}


class _MatchesTerm(Expression):
    """A condition: the page matches the tsquery of the row `term`."""

    output_field = BooleanField()

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002
        table = compiler.quote_name_unless_alias(Page._meta.db_table)
        return f"{table}.lexemes @@ term.query", ()


def _postings(context: SearchContext, tsqueries: list[str]) -> _Postings:
    """Return pages for each tsquery, up to `_MAX_PAGES_PER_WORD` each."""
    pages = scope.pages(context.tx, context.caller, context.scope).filter(_MatchesTerm())
    rows: QuerySet[Any] = pages.values_list("pk")
    try:
        pages_sql, params = rows.order_by()[:_MAX_PAGES_PER_WORD].query.sql_with_params()
    except EmptyResultSet:  # no collection may be searched, which Django knows without the database
        return _Postings(*np.empty((2, 0), dtype=np.int64))
    sql = (  # Django's own SQL inside ours, with its parameters passed separately
        "SELECT term.number - 1, page.* "  # noqa: S608
        "FROM unnest(%s::text[]) WITH ORDINALITY AS input_term (words, number) "
        "CROSS JOIN LATERAL (SELECT input_term.number, input_term.words::tsquery AS query) AS term "
        f"CROSS JOIN LATERAL ({pages_sql}) AS page"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [tsqueries, *params])
        pairs = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    return _Postings(pairs[:, 0], pairs[:, 1])


def _without_common_words(
    context: SearchContext, words: list[str], postings: _Postings, counts: NDArray[np.int64]
) -> _Postings:
    """Drop words with more than `_MAX_PAGES_PER_WORD` pages: those returned are an arbitrary selection.

    If all words are that common, return pages that have all of them.
    """
    common = counts >= _MAX_PAGES_PER_WORD
    rare = postings.where(~common[postings.words])
    if len(rare.pages):
        return rare
    all_words = " & ".join(f"'{word}'" for word in [f"#{context.tx.owner_id}", *words])
    with_all_words = _postings(context, [all_words])
    return with_all_words if len(with_all_words.pages) else postings


def _preselect(postings: _Postings, rarity: NDArray[np.float64], exact: NDArray[np.int64], *, limit: int) -> list[int]:
    """Return the pages with an identifier, then those with the rarest words."""
    pages, inverse = np.unique(postings.pages, return_inverse=True)
    sums = np.bincount(inverse, weights=rarity[postings.words], minlength=len(pages))
    return [int(page) for page in pages[np.lexsort((pages, -sums, ~np.isin(pages, exact)))[:limit]]]


def _rank(tx: OwnerTransaction, page_ids: list[int], rarity: Mapping[str, float]) -> Iterator[tuple[int, float]]:
    """Return the score of each page, best first."""
    sql = (
        f"SELECT page.id, sum(term.rarity * ts_rank('{{1, 1, 1, 1}}', page.lexemes, term.query, 1)) AS score "  # noqa: S608 - only the table's name
        f"FROM {connection.ops.quote_name(Page._meta.db_table)} AS page "
        "CROSS JOIN (SELECT words::tsquery AS query, rarity "
        "FROM unnest(%s::text[], %s::float8[]) AS input_term (words, rarity)) AS term "
        "WHERE page.owner_id = %s AND page.id = ANY(%s) GROUP BY page.id ORDER BY score DESC, page.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [[f"'{word}'" for word in rarity], list(rarity.values()), tx.owner_id, page_ids])
        yield from [(int(page_id), float(score)) for page_id, score in cursor.fetchall()]
