"""Files of the owners, in whatever storage is configured.

The same content is kept once for each owner. An object's key is never used twice, so that
deleting an old object can never hit a new one. Writing happens outside transactions, the row
inside: a crash between leaves an object nobody knows, never a row without its object.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core import signing
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from accounts.ownership import acting_for
from collections_app.errors import FileLinkExpired, FileMissing, StorageUnavailable
from collections_app.models import StoredFile

log = structlog.get_logger(__name__)

_SALT = "collections_app.file_link"
THUMBNAIL_TYPE = "image/jpeg"
_THUMBNAIL = ".thumbnail"

# A disk that is full or gone, or an object store that is away, as storage tells it: not the caller's doing.
TROUBLE = (OSError, BotoCoreError, ClientError)


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


def put(
    owner_id: int, content: IO[bytes], *, sha256: str, size: int, content_type: str, thumbnail: bytes = b""
) -> Draft:
    """Write the bytes, and beside them what they look like when small, unless this owner has them; call it outside a
    transaction.
    """
    with acting_for(owner_id):
        held = StoredFile.objects.filter(owner_id=owner_id, sha256=sha256).update(wanted_at=Now())
    key = "" if held else f"{owner_id}/{sha256[:2]}/{sha256}-{secrets.token_hex(4)}"
    if key:
        content.seek(0)
        with _told_as_ours():
            key = _saved(key, content if isinstance(content, File) else File(content), thumbnail)
    return Draft(
        owner_id=owner_id,
        sha256=sha256,
        size=size,
        content_type=content_type,
        key=key,
        thumbnail_size=len(thumbnail) if key else 0,
    )


def _saved(key: str, content: "File[Any]", thumbnail: bytes) -> str:
    try:
        key = storage().save(key, content)
        if thumbnail:
            storage().save(thumbnail_key(key), ContentFile(thumbnail))
    except TROUBLE:
        # A disk that is full keeps what fitted, and would keep it again each time this is tried.
        with suppress(*TROUBLE):
            erase(key)
        raise
    return key


def settle(draft: Draft) -> StoredFile | None:
    """The row for the bytes, inside the transaction that refers to it; None: put them again, they went away."""
    row = StoredFile.objects.select_for_update().filter(owner_id=draft.owner_id, sha256=draft.sha256).first()
    if row is None and draft.key:
        StoredFile.objects.bulk_create(
            [
                StoredFile(
                    owner_id=draft.owner_id,
                    sha256=draft.sha256,
                    key=draft.key,
                    size=draft.size,
                    content_type=draft.content_type,
                    thumbnail_size=draft.thumbnail_size,
                )
            ],
            ignore_conflicts=True,
        )
        row = StoredFile.objects.select_for_update().get(owner_id=draft.owner_id, sha256=draft.sha256)
    if row and draft.key and row.key != draft.key:
        transaction.on_commit(lambda: discard(draft))
    return row


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
def taken_back_on_error(drafts: Sequence[Draft]) -> Iterator[None]:
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


def read(file: StoredFile) -> IO[Any]:
    """The bytes; FileNotFoundError where they are gone."""
    with _told_as_ours():
        return storage().open(file.key, "rb")


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


def link_token(file: StoredFile) -> str:
    """What a signed link carries; whoever has it may read this one file until it expires."""
    return signing.dumps([file.owner_id, file.pk], salt=_SALT)


def from_token(token: str, *, max_age_s: int) -> tuple[int, int]:
    """(owner id, file id) of a link that is still good."""
    try:
        owner_id, file_id = signing.loads(token, salt=_SALT, max_age=max_age_s)
    except (signing.BadSignature, ValueError, TypeError):
        raise FileLinkExpired from None
    return owner_id, file_id
