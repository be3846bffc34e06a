"""Sketches out of the database, many at a time: what is told of a thousand pages comes as one row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.segment import Block, Contents, Numbers, Unsketched
from collections_app.models import Document, Page, PageEmbedding, Revision
from paliapi.database import binary_cursor

_PAGES_AT_ONCE = 20_000

_NAMES = {
    "documents": sql.Identifier(Document._meta.db_table),
    "revisions": sql.Identifier(Revision._meta.db_table),
    "pages": sql.Identifier(Page._meta.db_table),
    "embeddings": sql.Identifier(PageEmbedding._meta.db_table),
}
_CONTENTS = sql.SQL(
    "SELECT string_agg(int8send(shown.collection_id), ''), string_agg(int8send(shown.id), ''), "
    "string_agg(int8send(shown.document_id), ''), string_agg(int8send(shown.pages), '') "
    "FROM (SELECT d.collection_id, r.id, d.id AS document_id, "
    "(coalesce(r.pages_total, 0) - jsonb_array_length(r.skipped))::bigint AS pages "
    "FROM {documents} AS d JOIN {revisions} AS r ON r.id = d.shown_id AND r.owner_id = d.owner_id "
    "WHERE d.owner_id = %s AND d.collection_id = ANY(%s) ORDER BY r.id) AS shown"
).format(**_NAMES)
_SKETCHES = sql.SQL(
    "SELECT string_agg(int8send(found.page_id), ''), string_agg(int8send(found.revision_id), ''), "
    "string_agg(int8send(coalesce(length(found.sketch), 0)::bigint), ''), string_agg(coalesce(found.sketch, ''), '') "
    "FROM (SELECT e.page_id, p.revision_id, e.sketch FROM {pages} AS p "
    "JOIN {embeddings} AS e ON e.page_id = p.id AND e.owner_id = p.owner_id "
    "WHERE p.owner_id = %s AND p.revision_id = ANY(%s) AND e.space_id = %s ORDER BY e.page_id) AS found"
).format(**_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Pages with their sketches, and those that have none."""

    block: Block
    unsketched: Unsketched


def contents(owner_id: int, collection_ids: Sequence[int]) -> dict[int, Contents]:
    """What each of the collections shows; inside `acting_for(owner_id)`."""
    with binary_cursor() as cursor:
        cursor.execute(_CONTENTS, [owner_id, list(collection_ids)], binary=True)
        collections, revisions, documents, pages = (_numbers(column) for column in cursor.fetchone() or [None] * 4)
    found = {}
    for collection_id in collection_ids:
        among = collections == collection_id
        found[collection_id] = Contents(revisions[among], documents[among], pages[among])
    return found


def load(owner_id: int, space_id: int, *, dim: int, revisions: Numbers, pages: Numbers) -> Iterator[Loaded]:
    """The pages of revisions, of which each has so many; inside `acting_for(owner_id)`."""
    parts = np.cumsum(pages) // _PAGES_AT_ONCE
    for part in np.unique(parts):
        with binary_cursor() as cursor:
            some = revisions[parts == part].tolist()
            cursor.execute(_SKETCHES, [owner_id, some, space_id], binary=True)
            told = cursor.fetchone() or [None] * 4
        ids, of_revisions, lengths = (_numbers(column) for column in told[:3])
        sketched, usable = sketch_scan.load(told[3] or b"", lengths, dim=dim)
        yield Loaded(
            Block(ids[usable], of_revisions[usable], sketched, np.arange(len(sketched))),
            Unsketched(ids[~usable], of_revisions[~usable]),
        )


def _numbers(column: bytes | None) -> NDArray[np.int64]:
    return np.frombuffer(column or b"", dtype=">i8").astype(np.int64)
