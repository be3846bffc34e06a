"""Multi-vectors in Postgres, written and read in binary. Only this module touches their column.

COPY is not available for tables with row-level security, so one INSERT with many rows is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import structlog
from django.db import connection
from psycopg import Cursor, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval import multivector, sketch, word_boxes
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import CodedPage, InvalidCodes, VectorStorage
from collections_app.engine.retrieval.multivector import InvalidMultiVector, MultiVector
from collections_app.engine.retrieval.sketch import CompactForms, InvalidSketch, PooledPage
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision
from embeddings.contract import Layout, Word
from paliapi.database import Command, Value, array_of_numbers, binary_cursor, execute_together, statement

log = structlog.get_logger(__name__)

_TABLE = sql.Identifier(PageEmbedding._meta.db_table)
_INSERT = statement(
    "INSERT INTO {table} (page_id, owner_id, space_id, vectors, codes, layout, words, pooled, sketch) VALUES ",
    table=PageEmbedding,
)
_ROW = b"(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_COPY = sql.SQL(
    "INSERT INTO {table} (page_id, owner_id, space_id, vectors, codes, layout, words, pooled, sketch) "
    "SELECT copied.page, e.owner_id, e.space_id, e.vectors, e.codes, e.layout, e.words, e.pooled, e.sketch "
    "FROM unnest(%s::bigint[], %s::bigint[]) AS copied (page, source) "
    "JOIN {table} AS e ON e.page_id = copied.source AND e.owner_id = %s AND (e.codes IS NULL OR %s)"
)
_READ_WITH_LAYOUT = sql.SQL(
    "SELECT page_id, vectors, codes, layout, words FROM {table} WHERE owner_id = %s AND page_id = ANY(%s)"
)
_READ = statement(
    "SELECT page_id, vectors, codes FROM {table} WHERE owner_id = %s AND page_id = ANY(%s::bigint[])",
    table=PageEmbedding,
)
_LOCK = _READ + b" FOR UPDATE"
_CONVERT = sql.SQL("UPDATE {table} SET vectors = %b, codes = %b WHERE owner_id = %s AND page_id = %s").format(
    table=_TABLE
)
_STORAGE = statement(
    "SELECT coalesce((SELECT c.vector_storage FROM {revisions} AS r JOIN {documents} AS d ON d.id = r.document_id "
    "JOIN {collections} AS c ON c.id = d.collection_id WHERE r.owner_id = %s AND r.id = coalesce(%s::bigint, "
    "(SELECT revision_id FROM {pages} WHERE id = %s::bigint))), 'full'), 'halfvec'::regtype::oid::int8",
    revisions=Revision,
    documents=Document,
    collections=Collection,
    pages=Page,
)
_SAMPLE_OF_PAGES = statement(
    "SELECT cardinality(e.vectors), substring(e.codes FOR %s::int) FROM {documents} AS d "
    "JOIN {pages} AS p ON p.revision_id = d.shown_id JOIN {embeddings} AS e ON e.page_id = p.id "
    "WHERE d.owner_id = %s AND d.collection_id = %s LIMIT 20",
    documents=Document,
    pages=Page,
    embeddings=PageEmbedding,
)
_READ_POOLED = statement(
    "SELECT page_id, pooled FROM {table} WHERE owner_id = %s AND page_id = ANY(%s::bigint[]) AND pooled IS NOT NULL",
    table=PageEmbedding,
)


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


class Form(NamedTuple):
    """How a collection stores vectors, and the type of a vector in Postgres."""

    storage: VectorStorage
    oid: int  # not cached: it changes if the database is restored while a process runs


class OnlyCodes(Exception):
    """A page is stored in the compact form alone, so a ranking by full vectors is not possible."""


class _Wire(bytes):
    """The binary form of a `halfvec[]`."""


class _WireDumper(Dumper):
    format = Format.BINARY  # without a type: Postgres uses that of the column

    def dump(self, obj: _Wire) -> bytes:
        return obj


def insert(tx: OwnerTransaction, pages: Sequence[PageVectors]) -> None:
    """Insert the vectors of existing pages of one revision, in the form of its collection."""
    if pages:
        execute_together(*inserting(tx, pages, form=_form(tx, page_id=pages[0].page_id)))


def reading_form(owner_id: int, *, revision_id: int) -> Command:
    """Return the statement for `form_of`, which a transaction may begin with."""
    return Command(_STORAGE, (owner_id, revision_id, None))


def form_of(tx: OwnerTransaction, *, revision_id: int) -> Form:
    """Return the form in which `inserting` stores the vectors of a revision."""
    return _form(tx, revision_id=revision_id)


def inserting(tx: OwnerTransaction, pages: Sequence[PageVectors], *, form: Form) -> list[Command]:
    """Return the statements for `insert`: one, or none without pages."""
    values: list[Value] = []
    for page in pages:
        forms = page.compact_forms or sketch.compact_forms(page.vectors)
        layout = orjson.dumps(page.layout).decode() if page.layout else None
        words = word_boxes.encode(page.words) if page.words else None
        values += [page.page_id, tx.owner_id, page.space_id, *_columns(page.vectors, form.storage, form.oid)]
        values += [layout, words, forms.pooled, forms.sketch]
    return [Command(_INSERT + b", ".join([_ROW] * len(pages)), values)] if pages else []


def copy(tx: OwnerTransaction, sources: dict[int, int]) -> bool:
    """Copy to each page (a key) the vectors of another (its value), in the form of the collection they go to.

    Return False if one of those is gone, or is compact and would be copied to a full collection.
    """
    if not sources:
        return True
    compact = _form(tx, page_id=next(iter(sources))).storage == VectorStorage.COMPACT
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_COPY.format(table=_TABLE), [list(sources), list(sources.values()), tx.owner_id, compact])
        copied = cursor.rowcount
    if compact:
        convert(tx, list(sources), VectorStorage.COMPACT)
    return copied == len(sources)


def storage_of(tx: OwnerTransaction, *, revision_id: int) -> VectorStorage:
    """Return the form in which the collection of the revision stores new vectors."""
    return _form(tx, revision_id=revision_id).storage


def convert(tx: OwnerTransaction, page_ids: Sequence[int], to: VectorStorage) -> int:
    """Store the vectors of the pages in the other form; return how many had it to be. Full ones lose precision."""
    if not page_ids:
        return 0
    count = 0
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.adapters.register_dumper(_Wire, _WireDumper)
        oid = _element_oid(cursor)
        rows = cursor.execute(_LOCK, [tx.owner_id, sorted(page_ids)], binary=True).fetchall()
        for page_id, data, codes in rows:
            if (codes is None) == (to == VectorStorage.FULL) or (page := _decoded(page_id, data, codes)) is None:
                continue
            cursor.execute(_CONVERT, [*_columns(page, to, oid), tx.owner_id, page_id])
            count += 1
    return count


def vectors_per_page(tx: OwnerTransaction, collection: Collection) -> float | None:
    """Return how many vectors pages of a collection have, the mean of a few; None without pages."""
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_SAMPLE_OF_PAGES, [codec.HEADER_BYTES, tx.owner_id, collection.pk], binary=True)
        counts = [codec.count_of(head) if count is None else count for count, head in cursor]
    return sum(counts) / len(counts) if counts else None


def read_with_layout(tx: OwnerTransaction, page_ids: Sequence[int]) -> dict[int, VectorsWithLayout]:
    """Return the vectors of the pages that have some, with their layout and words."""
    with connection.wrap_database_errors, binary_cursor() as cursor:
        cursor.execute(_READ_WITH_LAYOUT.format(table=_TABLE), [tx.owner_id, list(page_ids)], binary=True)
        return {
            page_id: VectorsWithLayout(
                multivector.decode(data) if codes is None else codec.decode(codec.load(codes)),
                layout,
                word_boxes.decode(words) if words else [],
            )
            for page_id, data, codes, layout, words in cursor
        }


def read(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int | None = None) -> dict[int, MultiVector]:
    """Return the vectors of the pages that have readable ones, with any number of dimensions or with `dim`.

    Those of compact pages are what their codes stand for.
    """
    pages = ((page_id, _decoded(page_id, data, codes)) for page_id, data, codes in _rows(tx, page_ids))
    return {page_id: page for page_id, page in pages if page is not None and dim in (None, page.shape[1])}


def read_full(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, MultiVector]:
    """Do the same, but raise OnlyCodes if a page is compact."""
    rows = _rows(tx, page_ids)
    if any(codes is not None for _, _, codes in rows):
        raise OnlyCodes
    pages = ((page_id, _decoded(page_id, data, None)) for page_id, data, _ in rows)
    return {page_id: page for page_id, page in pages if page is not None and page.shape[1] == dim}


def read_codes(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, CodedPage]:
    """Return the codes of the pages that have readable vectors; those of full pages are computed."""
    pages: dict[int, CodedPage] = {}
    for page_id, data, codes in _rows(tx, page_ids):
        try:
            page = codec.encode(multivector.decode(data)) if codes is None else codec.load(codes)
        except (InvalidMultiVector, InvalidCodes) as error:
            log.error("vectors_unreadable", page_id=page_id, error=str(error))
            continue
        if page.dim == dim:
            pages[page_id] = page
    return pages


def _rows(tx: OwnerTransaction, page_ids: Sequence[int]) -> list[tuple[int, bytes, bytes | None]]:
    return tx.read(Command(_READ, (tx.owner_id, array_of_numbers(page_ids))))


def _decoded(page_id: int, data: bytes, codes: bytes | None) -> MultiVector | None:
    try:
        return multivector.decode(data) if codes is None else codec.decode(codec.load(codes))
    except (InvalidMultiVector, InvalidCodes) as error:
        log.error("vectors_unreadable", page_id=page_id, error=str(error))
        return None


def _columns(page: MultiVector, storage: VectorStorage, oid: int) -> tuple[_Wire | None, bytes | None]:
    """Return the values of the columns `vectors` and `codes`."""
    if storage == VectorStorage.COMPACT:
        return None, codec.encode(page).data.tobytes()
    return _Wire(multivector.encode(page, element_oid=oid)), None


def _form(tx: OwnerTransaction, *, revision_id: int | None = None, page_id: int | None = None) -> Form:
    [(storage, oid)] = tx.read(Command(_STORAGE, (tx.owner_id, revision_id, page_id)))
    return Form(VectorStorage(storage), oid)


def read_pooled(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """Return the pooled vectors of the pages that have readable ones."""
    pages: dict[int, PooledPage] = {}
    for page_id, data in tx.read(Command(_READ_POOLED, (tx.owner_id, array_of_numbers(page_ids)))):
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
