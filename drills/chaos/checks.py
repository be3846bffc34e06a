"""The invariants that must hold after each fault."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

_STATE = """
SELECT l.status, l.error->>'code', l.waiting_for, l.lease_until IS NOT NULL AND l.lease_until > now(), l.id = d.shown_id
FROM collections_app_document d JOIN collections_app_revision l ON l.id = d.latest_id
JOIN collections_app_collection c ON c.id = d.collection_id WHERE c.name = %s
"""
_PAGES = """
SELECT p.number, p.text, (SELECT count(*) FROM collections_app_pageembedding e WHERE e.page_id = p.id)
FROM collections_app_page p JOIN collections_app_document d ON d.shown_id = p.revision_id
JOIN collections_app_collection c ON c.id = d.collection_id WHERE c.name = %s ORDER BY p.number
"""
# For every owner: the counters, and the actual numbers.
_BOOKS = """
SELECT u.documents, (SELECT count(*) FROM collections_app_document d WHERE d.owner_id = u.owner_id),
       u.pages, (SELECT count(*) FROM collections_app_page p WHERE p.owner_id = u.owner_id),
       u.bytes, (SELECT coalesce(sum(size), 0) FROM collections_app_revision r WHERE r.owner_id = u.owner_id),
       (SELECT count(*) FROM collections_app_page p WHERE p.owner_id = u.owner_id),
       (SELECT count(*) FROM collections_app_pageembedding e WHERE e.owner_id = u.owner_id)
FROM accounts_usage u
"""

Database = psycopg.Connection[tuple[Any, ...]]


def state(database: Database, collection: str) -> tuple[str, str]:
    """Return the status of the latest revision of the only document, and the code it waits for or failed with."""
    status, code, waiting_for, _, _ = _only(database, collection)
    return status, code or waiting_for


def problems(database: Database, collection: str, texts: Sequence[str], folder: Path) -> list[str]:
    """Return every violated invariant of a finished document."""
    return [*_document(database, collection, texts), *books(database), *files(database, folder)]


def orphans(database: Database, folder: Path) -> set[str]:
    """Return files in storage without a row. A crash may leave some; housekeeping deletes them."""
    known = {str(key) for (key,) in database.execute("SELECT key FROM collections_app_storedfile")}
    keys = (path.relative_to(folder).as_posix() for path in folder.glob("*/*/*") if path.is_file())
    return {key for key in keys if key.removesuffix(".thumbnail") not in known}


def _only(database: Database, collection: str) -> tuple[Any, ...]:
    rows = database.execute(_STATE, [collection]).fetchall()
    if len(rows) != 1:
        raise AssertionError(f"{collection} has {len(rows)} documents.")
    return rows[0]


def _document(database: Database, collection: str, texts: Sequence[str]) -> Iterator[str]:
    status, code, _, held, shown = _only(database, collection)
    if held:
        yield "it is still leased"
    if status == "failed":
        yield "" if code else "failed without a code"
        return
    if status != "ready" or not shown:
        yield f"it is {status}, and {'shown' if shown else 'not shown'}"
    rows = database.execute(_PAGES, [collection]).fetchall()
    if [(number, text) for number, text, _ in rows] != list(enumerate(texts, start=1)):
        yield f"{len(rows)} pages differ from those uploaded"
    if any(count != 1 for _, _, count in rows):
        yield "a page has no vectors, or has them twice"


def books(database: Database) -> Iterator[str]:
    """Report counters that differ from the actual numbers."""
    for row in database.execute(_BOOKS).fetchall():
        for name, counted, actual in zip(("documents", "pages", "bytes", "vectors"), row[::2], row[1::2], strict=True):
            if counted != actual:
                yield f"{counted} {name} are counted, {actual} exist"


def files(database: Database, folder: Path) -> Iterator[str]:
    """Report rows whose file is missing or has the wrong size."""
    for key, size in database.execute("SELECT key, size FROM collections_app_storedfile").fetchall():
        path = folder / key
        if not path.is_file() or path.stat().st_size != size:
            yield f"{key} is missing from storage, or has the wrong size"
