"""Files of the owners, in the configured storage.

The same content is stored once for each owner. The key of an object is never used twice, so deleting an old object can
never hit a new one. Bytes are written outside transactions and the row inside one: a crash in between leaves an object
without a row, never a row without its object.

Errors of the storage backend do not leave this module: they become StorageUnavailable, and a lost object FileMissing.
"""

import secrets
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Protocol

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import InterfaceError, OperationalError, transaction

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.models import StoredFile
from collections_app.storage.errors import FileMissing, StorageUnavailable
from paliapi.database import Command, Row, array_of_numbers, array_of_texts, statement
from paliapi.durable_files import DurableFiles

log = structlog.get_logger(__name__)

THUMBNAIL_TYPE = "image/jpeg"
_THUMBNAIL_SUFFIX = ".thumbnail"

# Raised by a full or missing disk and by an object store that is not available.
_BACKEND_ERRORS = (OSError, BotoCoreError, ClientError)

# Rows are always locked in the same order, so that two processes of one owner never deadlock.
_KEEP = statement(
    "UPDATE {files} SET wanted_at = statement_timestamp() WHERE owner_id = %s AND id IN (SELECT id FROM {files} "
    "WHERE owner_id = %s AND sha256 = ANY(%s::text[]) ORDER BY sha256 FOR NO KEY UPDATE) RETURNING sha256",
    files=StoredFile,
)
_INSERT = statement(
    "INSERT INTO {files} (owner_id, sha256, key, size, content_type, thumbnail_size) SELECT %s::bigint, * "
    "FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::int[]) ON CONFLICT DO NOTHING",
    files=StoredFile,
)
_COLUMNS = ("id", "owner_id", "sha256", "key", "size", "content_type", "thumbnail_size")
_LOCK = statement(
    "SELECT id, owner_id, sha256, key, size, content_type, thumbnail_size FROM {files} "
    "WHERE owner_id = %s AND sha256 = ANY(%s::text[]) ORDER BY sha256 FOR UPDATE",
    files=StoredFile,
)


class HasKey(Protocol):
    """Anything that knows the key of its object in storage."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes to be stored, with a thumbnail if they are a page image."""

    file: IO[bytes]
    sha256: str
    size: int
    content_type: str
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Bytes in storage whose row is not committed yet."""

    owner_id: int
    sha256: str
    size: int
    content_type: str
    key: str  # empty if the owner already had the content
    thumbnail_size: int = 0


def storage() -> Storage:
    return storages["default"]


def put(owner_id: int, content: IO[bytes], *, sha256: str, size: int, content_type: str) -> Draft:
    """Write the bytes to storage, unless this owner already has them. Call outside a transaction."""
    [draft] = put_all(owner_id, [Content(file=content, sha256=sha256, size=size, content_type=content_type)])
    return draft


def put_all(owner_id: int, contents: Sequence[Content], *, stored: Set[str] | None = None) -> Iterator[Draft]:
    """Write many contents like `put`, with their thumbnails; yield the draft of each once it is written.

    `stored` is what `keep_stored` returned for them, if it was called before.
    """
    if stored is None:
        keeping = keeping_stored(owner_id, {content.sha256 for content in contents})
        with acting_for(owner_id, first=keeping) as tx:
            stored = keep_stored(tx, keeping)
    known = set(stored)
    for content in contents:
        key = ""
        if content.sha256 not in known:
            key = _save(owner_id, content)
            known.add(content.sha256)
        yield Draft(
            owner_id=owner_id,
            sha256=content.sha256,
            size=content.size,
            content_type=content.content_type,
            key=key,
            thumbnail_size=len(content.thumbnail) if key else 0,
        )


def keeping_stored(owner_id: int, digests: Set[str]) -> Command:
    """Return the statement for `keep_stored`, which a transaction may begin with."""
    return Command(_KEEP, (owner_id, owner_id, array_of_texts(sorted(digests))))


def keep_stored(tx: OwnerTransaction, keeping: Command) -> set[str]:
    """Return the digests that the owner has files of, and keep those files from housekeeping for a while."""
    return {sha256 for (sha256,) in tx.read(keeping)}


def _save(owner_id: int, content: Content) -> str:
    """Write the bytes under a new key, and return the key."""
    key = f"{owner_id}/{content.sha256[:2]}/{content.sha256}-{secrets.token_hex(4)}"
    content.file.seek(0)
    with _mapped_errors():
        try:
            file = content.file if isinstance(content.file, File) else File(content.file)
            files = [(key, file)]
            if content.thumbnail:
                files.append((thumbnail_key(key), ContentFile(content.thumbnail)))
            _save_together(files)
        except _BACKEND_ERRORS:
            # A full disk keeps what it had room for, and would keep more at every retry.
            with suppress(*_BACKEND_ERRORS):
                erase(key)
            raise
    return key


def _save_together(files: Sequence[tuple[str, "File[Any]"]]) -> None:
    """Save files under names that are new."""
    backend = storage()
    if isinstance(backend, DurableFiles):
        backend.save_together(files)
        return
    for name, file in files:
        backend.save(name, file)


def settle(tx: OwnerTransaction, draft: Draft) -> StoredFile | None:
    """Return the row of the bytes, for `tx` to refer to; None if they have gone since and must be put again."""
    [row] = settle_all(tx, [draft])
    return row


def settling(owner_id: int, drafts: Sequence[Draft]) -> list[Command]:
    """Return the statements for `settle_all`, which a transaction may begin with."""
    if not drafts:
        return []
    new = sorted((draft for draft in drafts if draft.key), key=lambda draft: draft.sha256)
    columns = (
        array_of_texts(draft.sha256 for draft in new),
        array_of_texts(draft.key for draft in new),
        array_of_numbers(draft.size for draft in new),
        array_of_texts(draft.content_type for draft in new),
        array_of_numbers(draft.thumbnail_size for draft in new),
    )
    lock = Command(_LOCK, (owner_id, array_of_texts(sorted({draft.sha256 for draft in drafts}))))
    return [Command(_INSERT, (owner_id, *columns)), lock] if new else [lock]


def settle_all(tx: OwnerTransaction, drafts: Sequence[Draft]) -> list[StoredFile | None]:
    """Settle many drafts, and return their rows in the same order."""
    rows: list[Row] = []
    for command in settling(tx.owner_id, drafts):
        rows = tx.read(command)
    by_digest = {row.sha256: row for row in (StoredFile.from_db("default", _COLUMNS, row) for row in rows)}
    for draft in drafts:
        if not draft.key:
            continue
        row = by_digest.get(draft.sha256)
        if row is not None and row.key != draft.key:
            # Another process stored the same content first.
            transaction.on_commit(partial(discard, draft))
    return [by_digest.get(draft.sha256) for draft in drafts]


@contextmanager
def keep(draft: Draft) -> Iterator[tuple[OwnerTransaction, StoredFile]]:
    """Open a transaction in which the draft has a row, and discard its bytes if that transaction fails.

    Raise StorageUnavailable if the bytes are gone by now and must be put again. Call outside a transaction.
    """
    with discard_on_error([draft]), acting_for(draft.owner_id, first=settling(draft.owner_id, [draft])) as tx:
        file = settle(tx, draft)
        if file is None:
            raise StorageUnavailable(retry_after_s=1)
        yield tx, file


@contextmanager
def discard_on_error(drafts: Sequence[Draft]) -> Iterator[None]:
    """Discard the drafts if the block fails, because their rows are then rolled back."""
    try:
        yield
    except (OperationalError, InterfaceError):
        # The connection may have broken after the commit; then the rows need their bytes.
        raise
    except BaseException:
        for draft in drafts:
            discard(draft)
        raise


def discard(draft: Draft) -> None:
    """Delete the bytes of a draft that gets no row."""
    if draft.key:
        with suppress(*_BACKEND_ERRORS):
            erase(draft.key)


def erase(key: str) -> None:
    """Delete an object and its thumbnail."""
    storage().delete(thumbnail_key(key))
    storage().delete(key)


def thumbnail_key(key: str) -> str:
    return f"{key}{_THUMBNAIL_SUFFIX}"


def is_known(key: str, known: set[str]) -> bool:
    """Check whether an object, or the image that it is the thumbnail of, has one of the known keys."""
    return key.removesuffix(_THUMBNAIL_SUFFIX) in known


def open_file(file: HasKey) -> IO[Any]:
    """Open a file for reading. Raise FileMissing if its bytes are gone, StorageUnavailable if storage fails."""
    return _open(file.key)


def open_thumbnail(file: HasKey) -> IO[Any]:
    """Open the thumbnail of a page image; raise like `open_file`."""
    return _open(thumbnail_key(file.key))


def content(file: HasKey) -> bytes:
    """Return the bytes of a file; raise like `open_file`."""
    with _reading(), storage().open(file.key, "rb") as stream:
        return bytes(stream.read())


def _open(key: str) -> IO[Any]:
    with _reading():
        stream = storage().open(key, "rb")
        try:
            # The first access to an object in an object store downloads it whole, so its errors appear here.
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
        return stream


@contextmanager
def _reading() -> Iterator[None]:
    with _mapped_errors():
        try:
            yield
        except FileNotFoundError as error:
            raise FileMissing from error


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except _BACKEND_ERRORS as error:
        log.error("storage_unavailable", error=str(error))
        raise StorageUnavailable(retry_after_s=60) from error
