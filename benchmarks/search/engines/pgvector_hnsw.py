"""pgvector alone: an HNSW index over 32 pooled vectors per page selects candidates; the best are scored exactly."""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.search.corpus import BEST
from benchmarks.search.engines import postgres
from benchmarks.search.engines.base import Engine
from benchmarks.search.engines.pooled import pooled
from collections_app.engine.retrieval import maxsim, multivector

_SEARCH = """
SELECT asked.number, found.page, max(found.similarity)
FROM unnest(%s::halfvec[]) WITH ORDINALITY AS asked (v, number)
CROSS JOIN LATERAL (
    SELECT page, -(t.v <#> asked.v) AS similarity FROM pooled_of_pages AS t ORDER BY t.v <#> asked.v LIMIT %s
) AS found
GROUP BY 1, 2
"""


class PgvectorHnsw(Engine):
    note = "HNSW over 32 pooled vectors a page, m 16, ef_construction 64; the best candidates scored exactly"

    def build(self) -> None:
        self._connection = postgres.connect()
        self._connection.execute("SET maintenance_work_mem = '2GB'")
        self._connection.execute("SET max_parallel_maintenance_workers = 2")
        self._connection.execute("DROP TABLE IF EXISTS pooled_of_pages, whole_pages")
        self._connection.execute("CREATE TABLE pooled_of_pages (page int NOT NULL, v halfvec(128) NOT NULL)")
        self._connection.execute("CREATE TABLE whole_pages (page int PRIMARY KEY, vectors halfvec[] NOT NULL)")
        self._connection.execute("ALTER TABLE whole_pages ALTER vectors SET STORAGE EXTERNAL")
        postgres.copy_rows(self._connection, "pooled_of_pages", self._pooled())
        self._copy_pages()
        self._connection.execute(
            "CREATE INDEX ON pooled_of_pages USING hnsw (v halfvec_ip_ops) WITH (m = 16, ef_construction = 64)"
        )
        self._connection.execute("VACUUM ANALYZE pooled_of_pages")
        self._connection.execute("VACUUM ANALYZE whole_pages")

    def settings(self) -> Sequence[str]:
        return ("ef 40, 50 exact", "ef 100, 50 exact", "ef 100, 100 exact", "ef 200, 100 exact", "ef 200, 200 exact")

    def search(self, question: int, setting: str) -> list[int]:
        _, ef, exact, _ = setting.replace(",", "").split()
        query = self.corpus.questions[question]
        self._connection.execute(f"SET hnsw.ef_search = {int(ef)}")
        rows = self._connection.execute(_SEARCH, [postgres.halves(query), int(ef)], prepare=True).fetchall()
        pages = _best_candidates(np.array(rows, dtype=np.float64), limit=int(exact), questions=len(query))
        rows_found = self._connection.execute(
            "SELECT page, vectors FROM whole_pages WHERE page = ANY(%s)", [pages], binary=True
        ).fetchall()
        scores = maxsim.scores(query, [multivector.decode(data) for _, data in rows_found])
        numbers = np.array([page for page, _ in rows_found])
        return [int(one) for one in numbers[np.lexsort((numbers, -scores))][:BEST]]

    def bytes_per_page(self) -> float:
        tables = ("pooled_of_pages", "whole_pages")
        return sum(postgres.size(self._connection, table) for table in tables) / len(self.corpus)

    def _pooled(self) -> Iterator[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float16]]]]:
        return enumerate(pooled(self.corpus))

    def _copy_pages(self) -> None:
        oid = self._connection.execute("SELECT 'halfvec'::regtype::oid::int8").fetchone()
        statement = "COPY whole_pages FROM STDIN (FORMAT binary)"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(["int4", "bytea"])
            for number, vectors in enumerate(self.corpus.pages):
                copy.write_row((number, multivector.encode(vectors, element_oid=int(oid[0]) if oid else 0)))


def _best_candidates(
    rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, limit: int, questions: int
) -> list[int]:
    """Return the pages with the best sums; a vector that did not find a page counts its worst similarity."""
    pages, which = np.unique(rows[:, 1], return_inverse=True)
    numbers_of_vectors = rows[:, 0].astype(np.int64) - 1
    least = np.full(questions, np.inf)
    np.minimum.at(least, numbers_of_vectors, rows[:, 2])
    sums = np.full(len(pages), least[np.isfinite(least)].sum())
    np.add.at(sums, which, rows[:, 2] - least[numbers_of_vectors])
    return [int(one) for one in pages[np.argsort(-sums, kind="stable")[:limit]]]
