"""One row per vector, and MaxSim as an SQL function: the usual way to do late interaction in Postgres."""

from collections.abc import Sequence

from benchmarks.search.corpus import BEST
from benchmarks.search.engines import postgres
from benchmarks.search.engines.base import Engine

_PAGES = 200

_FUNCTION = """
CREATE FUNCTION max_sim(page halfvec[], question halfvec[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sum(best) FROM (
        SELECT max(1 - (asked.v <=> kept.v)) AS best
        FROM unnest(question) WITH ORDINALITY AS asked (v, number) CROSS JOIN unnest(page) AS kept (v)
        GROUP BY asked.number
    ) AS of_each
$$
"""
_SEARCH = """
SELECT page FROM rows_of_pages GROUP BY page
ORDER BY max_sim(array_agg(v), %s::halfvec[]) DESC, page LIMIT 10
"""


class SqlRows(Engine):
    most_questions = 10
    rounds = 1
    note = f"measured on {_PAGES} pages; the time grows with the number of pages and was multiplied"

    def build(self) -> None:
        self._connection = postgres.connect()
        self._taken = min(_PAGES, len(self.corpus))
        self._connection.execute("DROP TABLE IF EXISTS rows_of_pages")
        self._connection.execute("DROP FUNCTION IF EXISTS max_sim")
        self._connection.execute("CREATE TABLE rows_of_pages (page int NOT NULL, v halfvec(128) NOT NULL)")
        self._connection.execute(_FUNCTION)
        postgres.copy_rows(self._connection, "rows_of_pages", enumerate(self.corpus.pages[: self._taken]))
        self._connection.execute("CREATE INDEX ON rows_of_pages (page)")
        self._connection.execute("VACUUM ANALYZE rows_of_pages")

    def search(self, question: int, setting: str) -> list[int]:  # noqa: ARG002 - there is but one way
        query = postgres.halves(self.corpus.questions[question])
        return [int(row[0]) for row in self._connection.execute(_SEARCH, [query], prepare=True)]

    def bytes_per_page(self) -> float:
        return postgres.size(self._connection, "rows_of_pages") / self._taken

    def scale(self) -> float:
        return len(self.corpus) / self._taken

    def recall(self, question: int, hits: Sequence[int]) -> float:
        return len(set(self._best(question)) & set(hits)) / BEST

    def is_best(self, question: int, hits: Sequence[int]) -> bool:
        return list(hits[:1]) == self._best(question)[:1]

    def _best(self, question: int) -> list[int]:
        scores = self.corpus.scores[question, : self._taken]
        return [int(one) for one in (-scores).argsort(kind="stable")[:BEST]]
