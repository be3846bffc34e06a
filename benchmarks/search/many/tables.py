"""Rows of many pages, written without the steps of ingestion: copies of rows that a worker stored.

A document of a hundred pages that was ingested is the pattern. Each further file copies its rows of document, revision
and pages; vectors, pooled vectors and sketches are sent in binary, all pages of a chunk at once. Ids follow from page
numbers. Needs a superuser: constraints between the copied rows are not checked, and row-level security allows no COPY.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import psycopg
from django.db.models import Model
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

from benchmarks.search.fill import PAGES_OF_A_FILE
from benchmarks.search.many.documents import Made, Numbers
from benchmarks.search.synthetic import DIM, VECTORS, Halves
from collections_app.engine.retrieval import multivector
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision

Database: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# A page whose vectors are not stored has one, of this length, and so the lowest score of all.
STUB: Halves = np.full((1, DIM), DIM**-0.5 / 8, dtype=np.float16)

_FIRST_ID = 1_000_000  # beyond the ids of what is ingested
_LENGTH = ">i4"
_TRAILER = np.array([-1], dtype=">i2").tobytes()
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)


class _Array(bytes):
    """The binary form of a `halfvec[]`."""


class _ArrayDumper(Dumper):
    format = Format.BINARY  # without a type: Postgres uses that of the column

    def dump(self, obj: _Array) -> bytes:
        return obj


@dataclass(frozen=True, slots=True)
class Pattern:
    """The rows that are copied."""

    owner_id: int
    space_id: int
    document_id: int
    revision_id: int


def connect(url: str) -> Database:
    """Connect as a superuser who checks no foreign keys."""
    database = psycopg.connect(url, autocommit=True)
    database.execute("SET session_replication_role = replica")
    database.execute("SET synchronous_commit = off")
    return database


def stored(database: Database, numbers: Numbers) -> Numbers:
    """Return which of the pages are stored."""
    query = sql.SQL("SELECT page_id FROM {} WHERE page_id = ANY(%s)").format(_name(PageEmbedding))
    return _numbers(database.execute(query, [page_ids(numbers).tolist()]))


def page_ids(numbers: Numbers) -> Numbers:
    """Return the ids of the pages with these numbers."""
    return numbers + _FIRST_ID


def store(
    database: Database, pattern: Pattern, made: Made, numbers: Numbers, *, collections: Mapping[int, int]
) -> None:
    """Store pages, whole files of them; `collections` has the id for the first page of each file."""
    files = list(collections)
    with database.transaction():
        for statement in _copies(pattern):
            database.execute(statement, {"first": files, "collection": list(collections.values())})
        database.execute(
            sql.SQL("UPDATE {} SET vectors_seq = vectors_seq + 1 WHERE id = ANY(%s)").format(_name(Collection)),
            [list(set(collections.values()))],
        )
        stub = multivector.encode(STUB, element_oid=_element_oid(database))
        rows = _rows(
            {
                "page_id": page_ids(numbers),
                "owner_id": np.full(len(numbers), pattern.owner_id),
                "space_id": np.full(len(numbers), pattern.space_id),
                "vectors": np.tile(np.frombuffer(stub, dtype=np.uint8), (len(numbers), 1)),
                "pooled": made.pooled,
                "sketch": made.sketches,
            }
        )
        _send(database, _name(PageEmbedding), ("page_id", "owner_id", "space_id", "vectors", "pooled", "sketch"), rows)


def without_vectors(database: Database, ids: Numbers) -> Numbers:
    """Return the numbers of those of the pages whose vectors are not stored."""
    query = sql.SQL("SELECT page_id FROM {} WHERE page_id = ANY(%s) AND pg_column_size(vectors) < {}")
    shortest = sql.Literal(VECTORS * DIM)  # bytes, half as many as all vectors have
    return _numbers(database.execute(query.format(_name(PageEmbedding), shortest), [ids.tolist()]))


def store_vectors(database: Database, numbers: Numbers, pages: Sequence[Halves]) -> None:
    """Store all vectors of some pages."""
    oid = _element_oid(database)
    statement = sql.SQL("UPDATE {} SET vectors = %b WHERE page_id = %s").format(_name(PageEmbedding))
    arrays = (_Array(multivector.encode(page, element_oid=oid)) for page in pages)
    with database.transaction(), database.cursor() as cursor:
        cursor.adapters.register_dumper(_Array, _ArrayDumper)
        cursor.executemany(statement, zip(arrays, page_ids(numbers).tolist(), strict=True))


def tidy(database: Database, command: Literal["ANALYZE", "VACUUM"]) -> None:
    """Do what autovacuum would do later, perhaps while something is measured."""
    for model in (Document, Revision, Page, PageEmbedding):
        database.execute(sql.SQL(command + " {}").format(_name(model)))


def _copies(pattern: Pattern) -> Iterable[sql.Composed]:
    """Yield the statements that copy the rows of the pattern once for each file."""
    file_id = f"{_FIRST_ID} + made.first / {PAGES_OF_A_FILE}"
    metadata = "jsonb_build_object('first', made.first)"
    document = {
        "id": file_id,
        "collection_id": "made.collection",
        "name": "'from-' || made.first",
        "metadata": metadata,
        "shown_id": file_id,
        "latest_id": file_id,
    }
    yield _copying(Document, f"id = {pattern.document_id}", document)
    revision = {"id": file_id, "document_id": file_id, "metadata": metadata}
    yield _copying(Revision, f"id = {pattern.revision_id}", revision)
    page = {"id": f"{_FIRST_ID} + made.first + copied.number - 1", "revision_id": file_id}
    yield _copying(Page, f"revision_id = {pattern.revision_id}", page)


def _copying(model: type[Model], condition: str, changed: Mapping[str, str]) -> sql.Composed:
    columns = [str(field.column) for field in model._meta.local_concrete_fields]
    values: list[sql.Composable] = [
        sql.SQL(changed[column]) if column in changed else sql.Identifier("copied", column) for column in columns
    ]
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS copied, "
        "unnest(%(first)s::bigint[], %(collection)s::bigint[]) AS made (first, collection) WHERE copied.{condition}"
    ).format(
        table=_name(model),
        columns=sql.SQL(", ").join([sql.Identifier(column) for column in columns]),
        values=sql.SQL(", ").join(values),
        condition=sql.SQL(condition),
    )


def _rows(columns: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return the rows as COPY expects them in binary: integers of eight bytes, and bytes of one length a column."""
    types: list[Any] = [("fields", ">i2")]
    for name, values in columns.items():
        types.append((f"length of {name}", _LENGTH))
        types.append((name, ">i8") if values.ndim == 1 else (name, np.uint8, values.shape[1:]))
    rows = np.empty(len(next(iter(columns.values()))), dtype=types)
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"length of {name}"] = 8 if values.ndim == 1 else values.shape[1]
        rows[name] = values
    return rows.tobytes()


def _send(database: Database, table: sql.Identifier, columns: Sequence[str], rows: bytes) -> None:
    names = sql.SQL(", ").join([sql.Identifier(column) for column in columns])
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, names)
    with database.cursor() as cursor, cursor.copy(statement) as copy:
        for part in (_HEADER, rows, _TRAILER):
            copy.write(part)


def _numbers(rows: Iterable[tuple[Any, ...]]) -> Numbers:
    return np.sort(np.array([page_id for (page_id,) in rows], dtype=np.int64)) - _FIRST_ID


def _element_oid(database: Database) -> int:
    return int(database.execute("SELECT 'halfvec'::regtype::oid::int8").fetchall()[0][0])


def _name(model: type[Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)
