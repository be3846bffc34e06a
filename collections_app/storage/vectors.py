"""Multi-vectors in Postgres, written and read in binary. Only this module touches their column.

COPY is not available for tables with row-level security, so one INSERT with many rows is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from django.db import connection
from psycopg import Cursor, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.json import Jsonb

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval import multivector, sketch, word_boxes
from collections_app.engine.retrieval.multivector import InvalidMultiVector, MultiVector
from collections_app.engine.retrieval.sketch import CompactForms, InvalidSketch, PooledPage
from collections_app.models import PageEmbedding
from embeddings.contract import Layout, Word
from paliapi.database import binary_cursor

log = structlog.get_logger(__name__)

_TABLE = sql.Identifier(PageEmbedding._meta.db_table)
_INSERT = sql.SQL(
    "INSERT INTO {table} (page_id, owner_id, space_id, vectors, layout, words, pooled, sketch) VALUES {rows}"
)
_ROW = sql.SQL("(%s, %s, %s, %b, %s, %s, %b, %b)")
_COPY = sql.SQL(
    "INSERT INTO {table} (page_id, owner_id, space_id, vectors, layout, words, pooled, sketch) "
    "SELECT copied.page, e.owner_id, e.space_id, e.vectors, e.layout, e.words, e.pooled, e.sketch "
    "FROM unnest(%s::bigint[], %s::bigint[]) AS copied (page, source) "
    "JOIN {table} AS e ON e.page_id = copied.source AND e.owner_id = %s"
)
_READ_WITH_LAYOUT = sql.SQL(
    "SELECT page_id, vectors, layout, words FROM {table} WHERE owner_id = %s AND page_id = ANY(%s)"
)
_READ = sql.SQL("SELECT page_id, vectors FROM {table} WHERE owner_id = %s AND page_id = ANY(%s)").format(table=_TABLE)
_READ_POOLED = sql.SQL(
    "SELECT page_id, pooled FROM {table} WHERE owner_id = %s AND page_id = ANY(%s) AND pooled IS NOT NULL"
).format(table=_TABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVectors:
    """The vectors of one page, to be inserted."""

    page_id: int
    space_id: int
    vectors: MultiVector
    layout: Layout | None
    words: Sequence[Word] = ()
    compact_forms: CompactForms | None = None  # None: computed when the page is inserted


@dataclass(frozen=True, slots=True, eq=False)
class VectorsWithLayout:
    """The vectors of a page, the place on it that each comes from, and its words with their boxes."""

    vectors: MultiVector
    layout: Any
    words: list[Word]


class _Wire(bytes):
    """The binary form of a `halfvec[]`."""


class _WireDumper(Dumper):
    format = Format.BINARY  # without a type: Postgres uses that of the column

    def dump(self, obj: _Wire) -> bytes:
        return obj


def insert(tx: OwnerTransaction, pages: Sequence[PageVectors]) -> None:
    """Insert the vectors of existing pages."""
    if not pages:
        return
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.adapters.register_dumper(_Wire, _WireDumper)
        oid = _element_oid(cursor)
        values: list[Any] = []
        for page in pages:
            wire = _Wire(multivector.encode(page.vectors, element_oid=oid))
            layout = Jsonb(page.layout, orjson.dumps) if page.layout else None
            words = word_boxes.encode(page.words) if page.words else None
            forms = page.compact_forms or sketch.compact_forms(page.vectors)
            values += [page.page_id, tx.owner_id, page.space_id, wire, layout, words, forms.pooled, forms.sketch]
        cursor.execute(_INSERT.format(table=_TABLE, rows=sql.SQL(", ").join([_ROW] * len(pages))), values)


def copy(tx: OwnerTransaction, sources: dict[int, int]) -> bool:
    """Copy to each page (a key) the vectors of another (its value); return False if one of those is gone."""
    if not sources:
        return True
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_COPY.format(table=_TABLE), [list(sources), list(sources.values()), tx.owner_id])
        return cursor.rowcount == len(sources)


def read_with_layout(tx: OwnerTransaction, page_ids: Sequence[int]) -> dict[int, VectorsWithLayout]:
    """Return the vectors of the pages that have some, with their layout and words."""
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ_WITH_LAYOUT.format(table=_TABLE), [tx.owner_id, list(page_ids)], binary=True)
        return {
            page_id: VectorsWithLayout(multivector.decode(data), layout, word_boxes.decode(words) if words else [])
            for page_id, data, layout, words in cursor
        }


def read(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int | None = None) -> dict[int, MultiVector]:
    """Return the vectors of the pages that have readable ones, with any number of dimensions or with `dim`."""
    pages: dict[int, MultiVector] = {}
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ, [tx.owner_id, list(page_ids)], prepare=True, binary=True)
        for page_id, data in cursor:
            try:
                vectors = multivector.decode(data)
            except InvalidMultiVector as error:
                log.error("vectors_unreadable", page_id=page_id, error=str(error))
                continue
            if dim is None or vectors.shape[1] == dim:
                pages[page_id] = vectors
    return pages


def read_pooled(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """Return the pooled vectors of the pages that have readable ones."""
    pages: dict[int, PooledPage] = {}
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ_POOLED, [tx.owner_id, list(page_ids)], prepare=True, binary=True)
        for page_id, data in cursor:
            try:
                pages[page_id] = sketch.decode_pooled(data, dim=dim)
            except InvalidSketch as error:
                log.error("pooled_vectors_unreadable", page_id=page_id, error=str(error))
    return pages


def _element_oid(cursor: Cursor[tuple[Any, ...]]) -> int:
    # Not cached: the oid changes if the database is restored while a process runs.
    row = cursor.execute("SELECT 'halfvec'::regtype::oid::int8").fetchone()
    if row is None:
        raise AssertionError("A cast returns one row.")
    return int(row[0])
