"""Sketches read from Postgres for the in-memory index. Each query returns one row for thousands of pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.segment import Block, RevisionTable, Unsketched
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision
from paliapi.database import binary_cursor

_PAGES_PER_QUERY = 20_000

_NAMES = {
    "collections": sql.Identifier(Collection._meta.db_table),
    "documents": sql.Identifier(Document._meta.db_table),
    "revisions": sql.Identifier(Revision._meta.db_table),
    "pages": sql.Identifier(Page._meta.db_table),
    "embeddings": sql.Identifier(PageEmbedding._meta.db_table),
}
_REVISIONS = sql.SQL(
    "SELECT (SELECT string_agg(int8send(c.id) || int8send(c.vectors_seq), '') FROM {collections} AS c "
    "WHERE c.owner_id = %s AND c.id = ANY(%s)), "
    "string_agg(int8send(shown.collection_id), ''), string_agg(int8send(shown.id), ''), "
    "string_agg(int8send(shown.document_id), ''), string_agg(int8send(shown.pages), ''), "
    "string_agg(int8send(shown.created), '') "
    "FROM (SELECT d.collection_id, r.id, d.id AS document_id, "
    "(extract(epoch FROM r.created_at) * 1e6)::bigint AS created, "
    "(coalesce(r.pages_total, 0) - jsonb_array_length(r.skipped))::bigint AS pages "
    "FROM {documents} AS d JOIN {revisions} AS r ON r.id = d.shown_id AND r.owner_id = d.owner_id "
    "WHERE d.owner_id = %s AND d.collection_id = ANY(%s) ORDER BY r.id) AS shown"
).format(**_NAMES)
_SKETCHES = sql.SQL(
    "SELECT string_agg(int8send(loaded.page_id), ''), string_agg(int8send(loaded.revision_id), ''), "
    "string_agg(int8send(coalesce(length(loaded.sketch), 0)::bigint), ''), string_agg(coalesce(loaded.sketch, ''), '') "
    "FROM (SELECT e.page_id, p.revision_id, e.sketch FROM {pages} AS p "
    "JOIN {embeddings} AS e ON e.page_id = p.id AND e.owner_id = p.owner_id "
    "WHERE p.owner_id = %s AND p.revision_id = ANY(%s) AND e.space_id = %s ORDER BY e.page_id) AS loaded"
).format(**_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class SketchBatch:
    """Pages with their sketches, and the pages that have none."""

    block: Block
    unsketched: Unsketched


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a collection showed at one moment, and its `vectors_seq` at that moment; 0 if it was deleted."""

    seq: int
    revisions: RevisionTable


def load_contents(tx: OwnerTransaction, collection_ids: Sequence[int]) -> dict[int, Contents]:
    """Return what each collection shows, all at the same moment."""
    with binary_cursor() as cursor:
        cursor.execute(_REVISIONS, [tx.owner_id, list(collection_ids)] * 2, binary=True)
        columns = cursor.fetchone() or [None] * 6
    versions, collections, revisions, documents, pages, created = (_numbers(column) for column in columns)
    seqs: dict[int, int] = dict(zip(versions[::2].tolist(), versions[1::2].tolist(), strict=True))
    contents = {}
    for collection_id in collection_ids:
        rows = collections == collection_id
        table = RevisionTable(revisions[rows], documents[rows], pages[rows], created[rows])
        contents[collection_id] = Contents(seqs.get(collection_id, 0), table)
    return contents


def load_sketches(
    tx: OwnerTransaction, space_id: int, *, dim: int, revision_ids: Numbers, page_counts: Numbers
) -> Iterator[SketchBatch]:
    """Yield the sketches of the revisions in batches; `page_counts` has the number of pages of each revision."""
    batches = np.cumsum(page_counts) // _PAGES_PER_QUERY
    for batch in np.unique(batches):
        with binary_cursor() as cursor:
            cursor.execute(_SKETCHES, [tx.owner_id, revision_ids[batches == batch].tolist(), space_id], binary=True)
            *columns, data = cursor.fetchone() or [None] * 4
        page_ids, revisions, lengths = (_numbers(column) for column in columns)
        sketched, usable = sketch_scan.load(data or b"", lengths, dim=dim)
        yield SketchBatch(
            Block(page_ids[usable], revisions[usable], sketched, np.arange(len(sketched))),
            Unsketched(page_ids[~usable], revisions[~usable]),
        )


def _numbers(column: bytes | None) -> NDArray[np.int64]:
    return np.frombuffer(column or b"", dtype=">i8").astype(np.int64)
