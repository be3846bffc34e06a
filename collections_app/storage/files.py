"""Files of the owners, in whatever storage is configured.

The same content is kept once for each owner. An object's key is never used twice, so that
deleting an old object can never hit a new one. Writing happens outside transactions, the row
inside: a crash between leaves an object nobody knows, never a row without its object.
"""

import secrets
from collections.abc import Iterator, Sequence
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
from django.db.models.functions import Now

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.models import StoredFile
from collections_app.storage.errors import FileMissing, StorageUnavailable

log = structlog.get_logger(__name__)

THUMBNAIL_TYPE = "image/jpeg"
_THUMBNAIL = ".thumbnail"

# A disk that is full or gone, or an object store that is away, as storage tells it: not the caller's doing.
TROUBLE = (OSError, BotoCoreError, ClientError)


class Kept(Protocol):
    """Whatever knows where in storage its bytes are."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes on their way into storage."""

    file: IO[bytes]
    sha256: str
    size: int
    content_type: str
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Bytes that are in storage, or were already, while their row is not yet certain."""

    owner_id: int
    sha256: str
    size: int
    content_type: str
    key: str  # empty: the content was there
    thumbnail_size: int = 0


def storage() -> Storage:
    return storages["default"]


def put(owner_id: int, content: IO[bytes], *, sha256: str, size: int, content_type: str) -> Draft:
    """Write the bytes, unless this owner has them; call it outside a transaction."""
    [draft] = put_all(owner_id, [Content(file=content, sha256=sha256, size=size, content_type=content_type)])
    return draft


def put_all(owner_id: int, contents: Sequence[Content]) -> Iterator[Draft]:
    """As `put`, many: each is yielded once it is written. Beside it goes what it looks like when small."""
    held = _held(owner_id, {content.sha256 for content in contents})
    for content in contents:
        key = ""
        if content.sha256 not in held:
            key = _saved(owner_id, content)
            held.add(content.sha256)
        yield Draft(
            owner_id=owner_id,
            sha256=content.sha256,
            size=content.size,
            content_type=content.content_type,
            key=key,
            thumbnail_size=len(content.thumbnail) if key else 0,
        )


def _held(owner_id: int, wanted: set[str]) -> set[str]:
    """Those that are there, and will be for a while."""
    with acting_for(owner_id):
        rows = StoredFile.objects.filter(owner_id=owner_id, sha256__in=wanted)
        # Always locked in the same order, so that two workers of one owner never wait for each other in a circle.
        held = list(rows.order_by("sha256").select_for_update(no_key=True).values_list("sha256", flat=True))
        if held:
            rows.filter(sha256__in=held).update(wanted_at=Now())
    return set(held)


def _saved(owner_id: int, content: Content) -> str:
    """The key under which it is in storage."""
    key = f"{owner_id}/{content.sha256[:2]}/{content.sha256}-{secrets.token_hex(4)}"
    content.file.seek(0)
    with _told_as_ours():
        try:
            file = content.file if isinstance(content.file, File) else File(content.file)
            key = storage().save(key, file)
            if content.thumbnail:
                storage().save(thumbnail_key(key), ContentFile(content.thumbnail))
        except TROUBLE:
            # A disk that is full keeps what fitted, and would keep it again each time this is tried.
            with suppress(*TROUBLE):
                erase(key)
            raise
    return key


def settle(tx: OwnerTransaction, draft: Draft) -> StoredFile | None:
    """Return the row of the bytes, for `tx` to refer to; None if they have gone since, and must be put again."""
    [row] = settle_all(tx, [draft])
    return row


def settle_all(tx: OwnerTransaction, drafts: Sequence[Draft]) -> list[StoredFile | None]:
    """Do the same as `settle` for many drafts, in their order."""
    # Rows are added, and then locked, always in the same order: see `_held`.
    new = sorted((draft for draft in drafts if draft.key), key=lambda draft: draft.sha256)
    StoredFile.objects.bulk_create([_row(draft) for draft in new], ignore_conflicts=True)
    rows = StoredFile.objects.select_for_update().order_by("sha256")
    rows = rows.filter(owner_id=tx.owner_id, sha256__in={draft.sha256 for draft in drafts})
    found = {row.sha256: row for row in rows}
    for draft in new:
        if draft.sha256 in found and found[draft.sha256].key != draft.key:
            transaction.on_commit(partial(discard, draft))
    return [found.get(draft.sha256) for draft in drafts]


def _row(draft: Draft) -> StoredFile:
    return StoredFile(
        owner_id=draft.owner_id,
        sha256=draft.sha256,
        key=draft.key,
        size=draft.size,
        content_type=draft.content_type,
        thumbnail_size=draft.thumbnail_size,
    )


def discard(draft: Draft) -> None:
    """Take back bytes whose row never came."""
    if draft.key:
        with suppress(*TROUBLE):
            erase(draft.key)


def erase(key: str) -> None:
    """The bytes, and what lies beside them."""
    storage().delete(thumbnail_key(key))
    storage().delete(key)


def thumbnail_key(key: str) -> str:
    return f"{key}{_THUMBNAIL}"


def is_known(key: str, known: set[str]) -> bool:
    """Whether an object belongs to a row with one of the known keys."""
    return key.removesuffix(_THUMBNAIL) in known


@contextmanager
def keep(draft: Draft) -> Iterator[tuple[OwnerTransaction, StoredFile]]:
    """Open a transaction in which the draft has a row, and discard its bytes if that transaction fails.

    StorageUnavailable if the bytes are no longer there: write them again. Call outside a transaction.
    """
    with discard_on_error([draft]), acting_for(draft.owner_id) as tx:
        file = settle(tx, draft)
        if file is None:
            raise StorageUnavailable(retry_after_s=1)
        yield tx, file


@contextmanager
def discard_on_error(drafts: Sequence[Draft]) -> Iterator[None]:
    """Discard the drafts if their rows do not come."""
    try:
        yield
    except (OperationalError, InterfaceError):
        # The connection may have been lost after the rows were kept; then the bytes are theirs.
        raise
    except BaseException:
        for draft in drafts:
            discard(draft)
        raise


def read(file: Kept) -> IO[Any]:
    """The bytes; FileNotFoundError where they are gone."""
    with _told_as_ours():
        return storage().open(file.key, "rb")


def content(file: Kept) -> bytes:
    """Return the bytes of a file. Raise FileMissing if they are gone, StorageUnavailable if storage fails."""
    try:
        with _told_as_ours(), storage().open(file.key, "rb") as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        raise FileMissing from None


@contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except TROUBLE as problem:
        log.error("storage_unavailable", error=str(problem))
        raise StorageUnavailable(retry_after_s=60) from problem


def read_thumbnail(file: StoredFile) -> IO[Any]:
    with _told_as_ours():
        return storage().open(thumbnail_key(file.key), "rb")


def opened(file: StoredFile) -> IO[Any]:
    """As `read`; FileMissing where the bytes are gone."""
    try:
        return read(file)
    except FileNotFoundError:
        raise FileMissing from None
