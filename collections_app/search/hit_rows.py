"""The pages of hits, with the names and metadata of their documents and collections.

One statement in plain SQL: building and planning the same from models takes longer than the rest of a search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app.engine.text_rules import MAX_PAGE_CHARACTERS
from collections_app.models import Collection, Document, Page, StoredFile
from paliapi.database import Command, array_of_numbers, array_of_texts, statement

_VISIBLE_PAGES = statement(
    "SELECT p.id, p.owner_id, p.number, p.width, p.height, CASE WHEN %s THEN left(p.text, %s) END, i.key, "
    "i.size, i.thumbnail_size, d.id, d.name, d.metadata, c.id, c.name, c.metadata FROM {pages} AS p "
    "JOIN {documents} AS d ON d.shown_id = p.revision_id AND d.owner_id = p.owner_id "
    "JOIN {collections} AS c ON c.id = d.collection_id AND c.owner_id = p.owner_id "
    "JOIN {files} AS i ON i.id = p.image_id AND i.owner_id = p.owner_id "
    "WHERE p.owner_id = %s AND p.id = ANY(%s::bigint[]) AND (%s::text[] IS NULL OR c.name = ANY(%s::text[]))",
    pages=Page,
    documents=Document,
    collections=Collection,
    files=StoredFile,
)


@dataclass(frozen=True, slots=True)
class PageImage:
    """The stored image of a page. A `thumbnail_size` of 0 means that there is no thumbnail."""

    key: str
    size: int
    thumbnail_size: int


@dataclass(frozen=True, slots=True)
class HitPage:
    """A visible page, with its document and collection."""

    pk: int
    owner_id: int
    number: int
    width: int
    height: int
    text: str | None  # None: not requested
    image: PageImage
    document_id: int
    document_name: str
    document_metadata: dict[str, Any]
    collection_id: int
    collection_name: str
    collection_metadata: dict[str, Any]


def read(
    tx: OwnerTransaction,
    caller: Caller,
    page_ids: Sequence[int],
    *,
    collections: Sequence[str] | None = None,
    with_text: bool,
    max_text: int = MAX_PAGE_CHARACTERS,
    is_last: bool = False,
) -> dict[int, HitPage]:
    """Return those of the pages that are still shown, in these collections or else in all that the caller may read.

    The last statement of a transaction ends it.
    """
    if not page_ids:
        return {}
    names = array_of_texts(caller.collections if collections is None else collections)
    values = (with_text, max_text, tx.owner_id, array_of_numbers(page_ids), names, names)
    read_rows = tx.read_last if is_last else tx.read
    rows = read_rows(Command(_VISIBLE_PAGES, values))
    return {row[0]: HitPage(*(*row[:6], PageImage(*row[6:9]), *row[9:])) for row in rows}
