"""Pages by their words, from Postgres's full-text index: what search does where meaning is not enough, or not there.

A page that has an identifier of the question comes first. Else rare words count more than common ones, a word that
comes again a little more than one that does not, and long pages a little less. Two statements: the first asks the
index alone which pages have which word; the second reads what is kept of the best of them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from numpy.typing import NDArray

from accounts.access import Caller
from collections_app.models import Page
from collections_app.search import scope
from collections_app.search.scope import Scope

_DIGIT = re.compile(r"\d")
_IDENTIFIER = re.compile(r"\d{5,}|(?=.*\d)(?=.*[^\W\d]).+")
_MOST = 1000
_MOST_WORDS = 64
# Reading what is kept of a page takes longer than finding it: so many pages, times the words.
_MOST_READ = 2000


@dataclass(frozen=True, slots=True)
class Match:
    """A page with words of the question, or even an identifier; the score says nothing beyond this answer."""

    page_id: int
    score: float
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Posted:
    """Which page has which word: two arrays of one length."""

    words: NDArray[np.int64]
    pages: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "_Posted":
        return _Posted(self.words[chosen], self.pages[chosen])


def may_name_something(text: str) -> bool:
    """Whether a question has what may be an identifier or a date; most have none."""
    return bool(_DIGIT.search(text))


def matches(caller: Caller, where: Scope, text: str, *, pages_in_scope: int) -> list[Match]:
    """The pages that have words of the text, best first, some hundred at most; inside `acting_for`."""
    asked = _asked(text)
    if not asked:
        return []
    words = list(asked)
    posted = _posted(caller, where, [f"'#{caller.owner_id}' & '{word}'" for word in words])
    if len(posted.pages) == 0:
        return []
    counts = np.bincount(posted.words, minlength=len(words))
    rarity = np.log1p((max(pages_in_scope, int(counts.max())) - counts + 0.5) / (counts + 0.5))
    if (counts >= _MOST).any():
        posted = _without_the_common(caller, where, words, posted, counts)
    exact = np.unique(posted.of(np.array(list(asked.values()))[posted.words]).pages)
    best = _first(posted, rarity, exact, most=max(50, min(500, _MOST_READ // len(words))))
    scores = _read(caller, best, {word: float(rarity[number]) for number, word in enumerate(words)})
    found = [Match(page_id, score, page_id in exact) for page_id, score in scores]
    return sorted(found, key=lambda match: not match.exact)


def _asked(text: str) -> dict[str, bool]:
    """The words of a question as the index knows them, letters and digits only, and whether each is an identifier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM paliapi_asked(%s)", [text])
        joined, words = cursor.fetchone() or ([], [])
    # What has signs inside says best what is meant: of INV-2023-X7, X7 alone means little.
    named = {word for word in joined if _DIGIT.search(word)} or {word for word in words if _IDENTIFIER.fullmatch(word)}
    # The longest are identifiers, or at least not the most common ones.
    chosen = sorted({*joined, *words}, key=lambda word: (-len(word), word))[:_MOST_WORDS]
    return {word: word in named for word in chosen}


class _Has(Expression):
    """That a page has what the tsquery of the row `asked` says."""

    output_field = BooleanField()

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002
        table = compiler.quote_name_unless_alias(Page._meta.db_table)
        return f"{table}.lexemes @@ asked.query", ()


def _posted(caller: Caller, where: Scope, queries: list[str]) -> _Posted:
    """The pages of each query, _MOST of each."""
    rows: QuerySet[Any] = scope.pages(caller, where).filter(_Has()).values_list("pk")
    try:
        pages, params = rows.order_by()[:_MOST].query.sql_with_params()
    except EmptyResultSet:  # no collection can be looked at, which needs no database
        return _Posted(*np.empty((2, 0), dtype=np.int64))
    sql = (  # Django's own SQL in ours, with its parameters apart
        "SELECT asked.number - 1, found.* "  # noqa: S608
        "FROM unnest(%s::text[]) WITH ORDINALITY AS written (words, number) "
        "CROSS JOIN LATERAL (SELECT written.number, written.words::tsquery AS query) AS asked "
        f"CROSS JOIN LATERAL ({pages}) AS found"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [queries, *params])
        found = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    return _Posted(found[:, 0], found[:, 1])


def _without_the_common(
    caller: Caller, where: Scope, words: list[str], posted: _Posted, counts: NDArray[np.int64]
) -> _Posted:
    """Of a word that more than _MOST pages have, those that came are as good as any; so it finds none by itself.

    Where all words are like that, pages that have them all are looked for.
    """
    common = counts >= _MOST
    rare = posted.of(~common[posted.words])
    if len(rare.pages):
        return rare
    together = _posted(caller, where, [" & ".join(f"'{word}'" for word in [f"#{caller.owner_id}", *words])])
    return together if len(together.pages) else posted


def _first(posted: _Posted, rarity: NDArray[np.float64], exact: NDArray[np.int64], *, most: int) -> list[int]:
    """The pages that have an identifier, and those whose words together are the rarest."""
    pages, numbers = np.unique(posted.pages, return_inverse=True)
    sums = np.bincount(numbers, weights=rarity[posted.words], minlength=len(pages))
    return [int(page) for page in pages[np.lexsort((pages, -sums, ~np.isin(pages, exact)))[:most]]]


def _read(caller: Caller, page_ids: list[int], rarity: Mapping[str, float]) -> Iterator[tuple[int, float]]:
    """The score of each page, best first."""
    sql = (
        f"SELECT page.id, sum(asked.rarity * ts_rank('{{1, 1, 1, 1}}', page.lexemes, asked.query, 1)) AS score "  # noqa: S608 - only the table's name
        f"FROM {connection.ops.quote_name(Page._meta.db_table)} AS page "
        "CROSS JOIN (SELECT words::tsquery AS query, rarity "
        "FROM unnest(%s::text[], %s::float8[]) AS written (words, rarity)) AS asked "
        "WHERE page.owner_id = %s AND page.id = ANY(%s) GROUP BY page.id ORDER BY score DESC, page.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [[f"'{word}'" for word in rarity], list(rarity.values()), caller.owner_id, page_ids])
        yield from [(int(page_id), float(score)) for page_id, score in cursor.fetchall()]
