"""What the server has already: unchanged files are not sent again, and an interrupted upload continues."""

from collections.abc import Iterable
from dataclasses import dataclass

from paliapi_client import Client, NotFound
from paliapi_client.cli.uploads.items import Item
from paliapi_client.models.documents import Document

# So few documents are read one by one; more are read with the list of the whole collection.
_ONE_BY_ONE = 10
IN_FLIGHT = frozenset({"queued", "fetching", "rendering", "embedding"})


@dataclass(frozen=True, slots=True)
class Stored:
    """What matters about a document of the server. A large collection is held in memory in this form."""

    sha256: str | None
    status: str
    num_pages: int
    metadata: dict[str, object]
    skipped_pages: list[object]
    error: dict[str, object] | None


def stored_documents(pali: Client, collection: str, names: Iterable[str]) -> dict[str, Stored]:
    """Return those of the named documents that the server has."""
    wanted = set(names)
    if len(wanted) <= _ONE_BY_ONE:
        return _one_by_one(pali, collection, wanted)
    documents = pali.documents.list(collection_name=collection)
    return {one.name: _stored(one) for one in documents if one.name in wanted}


def _one_by_one(pali: Client, collection: str, names: set[str]) -> dict[str, Stored]:
    documents = {}
    for name in names:
        try:
            documents[name] = _stored(pali.documents.get(name, collection_name=collection))
        except NotFound:  # noqa: PERF203  (it is new)
            continue
    return documents


def _stored(document: Document) -> Stored:
    error = document.error
    return Stored(
        document.sha256,
        document.status,
        document.num_pages,
        document.metadata,
        [{"page": one.page, "code": one.code, "detail": one.detail} for one in document.skipped_pages],
        {"code": error.code, "detail": error.detail, "page": error.page} if error else None,
    )


def is_unchanged(item: Item, stored: Stored | None) -> bool:
    """Return whether the server has the content of an item, shown or on its way: failures are sent again."""
    if stored is None or stored.sha256 is None or not (stored.status == "ready" or stored.status in IN_FLIGHT):
        return False
    return item.known_hash() == stored.sha256
