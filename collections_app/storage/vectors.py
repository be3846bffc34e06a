"""Multi-vectors into Postgres and back, in binary: the only place that touches the column.

COPY is not there for tables under row-level security, so pages go in by one INSERT of many rows.
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
from collections_app.engine.retrieval.multivector import MultiVector, NotAMultiVector
from collections_app.engine.retrieval.sketch import NotASketch, PooledPage, Small
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
    "SELECT taken.page, e.owner_id, e.space_id, e.vectors, e.layout, e.words, e.pooled, e.sketch "
    "FROM unnest(%s::bigint[], %s::bigint[]) AS taken (page, source) "
    "JOIN {table} AS e ON e.page_id = taken.source AND e.owner_id = %s"
)
_READ_PLACES = sql.SQL("SELECT page_id, vectors, layout, words FROM {table} WHERE owner_id = %s AND page_id = ANY(%s)")
_READ = sql.SQL("SELECT page_id, vectors FROM {table} WHERE owner_id = %s AND page_id = ANY(%s)").format(table=_TABLE)
_READ_POOLED = sql.SQL(
    "SELECT page_id, pooled FROM {table} WHERE owner_id = %s AND page_id = ANY(%s) AND pooled IS NOT NULL"
).format(table=_TABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVectors:
    """What is kept of one page."""

    page_id: int
    space_id: int
    vectors: MultiVector
    layout: Layout | None
    words: Sequence[Word] = ()
    small: Small | None = None  # None: to be made when it is kept


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The vectors of a page, where they come from, and the words that are known with their places."""

    vectors: MultiVector
    layout: Any
    words: list[Word]


class _Wire(bytes):
    """The binary form of a `halfvec[]`."""


class _WireDumper(Dumper):
    format = Format.BINARY  # with no type: Postgres takes that of the column

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
            small = page.small or sketch.small(page.vectors)
            values += [page.page_id, tx.owner_id, page.space_id, wire, layout, words, small.pooled, small.sketch]
        cursor.execute(_INSERT.format(table=_TABLE, rows=sql.SQL(", ").join([_ROW] * len(pages))), values)


def copy(tx: OwnerTransaction, sources: dict[int, int]) -> bool:
    """Copy to each page (a key) the vectors of another (its value); return False if one of those is gone."""
    if not sources:
        return True
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_COPY.format(table=_TABLE), [list(sources), list(sources.values()), tx.owner_id])
        return cursor.rowcount == len(sources)


def read_placed(owner_id: int, page_ids: Sequence[int]) -> dict[int, Placed]:
    """The vectors of pages with all that says where; inside `acting_for(owner_id)`."""
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ_PLACES.format(table=_TABLE), [owner_id, list(page_ids)], binary=True)
        return {
            page_id: Placed(multivector.decode(data), layout, word_boxes.decode(words) if words else [])
            for page_id, data, layout, words in cursor
        }


def read(owner_id: int, page_ids: Sequence[int], *, dim: int | None = None) -> dict[int, MultiVector]:
    """The vectors of those pages that have some, of any dimensions or of so many; inside `acting_for(owner_id)`."""
    found: dict[int, MultiVector] = {}
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ, [owner_id, list(page_ids)], prepare=True, binary=True)
        for page_id, data in cursor:
            try:
                vectors = multivector.decode(data)
            except NotAMultiVector as problem:
                log.error("vectors_unreadable", page_id=page_id, error=str(problem))
                continue
            if dim is None or vectors.shape[1] == dim:
                found[page_id] = vectors
    return found


def read_pooled(owner_id: int, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """The pooled vectors of those pages that have some; inside `acting_for(owner_id)`."""
    found: dict[int, PooledPage] = {}
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ_POOLED, [owner_id, list(page_ids)], prepare=True, binary=True)
        for page_id, data in cursor:
            try:
                found[page_id] = sketch.pooled_page(data, dim=dim)
            except NotASketch as problem:
                log.error("pooled_vectors_unreadable", page_id=page_id, error=str(problem))
    return found


def _element_oid(cursor: Cursor[tuple[Any, ...]]) -> int:
    # Asked each time: a database that was restored under a running worker has another number.
    found = cursor.execute("SELECT 'halfvec'::regtype::oid::int8").fetchone()
    if found is None:
        raise AssertionError("A cast has one answer.")
    return int(found[0])
