"""Tokens of signed links.

A link needs no API key: anyone who has it can read one file, or one page image, until it expires or the file or page is
deleted. A link to a thumbnail does not open the full image.
"""

from typing import Literal, TypeAlias

from django.core import signing

from collections_app.models import StoredFile
from collections_app.storage.errors import FileLinkExpired

ImageKind: TypeAlias = Literal["image", "thumbnail"]

_FILE_SALT = "collections_app.file_link"


def file_token(file: StoredFile) -> str:
    """Return the token of a link to a file."""
    return signing.dumps([file.owner_id, file.pk], salt=_FILE_SALT)


def read_file_token(token: str, *, max_age_s: int) -> tuple[int, int]:
    """Return (owner id, file id) of a valid token."""
    return _read(token, salt=_FILE_SALT, max_age_s=max_age_s)


def page_token(owner_id: int, page_id: int, *, kind: ImageKind = "image") -> str:
    """Return the token of a link to the image of a page, or to its thumbnail."""
    return signing.dumps([owner_id, page_id], salt=_page_salt(kind))


def read_page_token(token: str, *, kind: ImageKind = "image", max_age_s: int) -> tuple[int, int]:
    """Return (owner id, page id) of a valid token."""
    return _read(token, salt=_page_salt(kind), max_age_s=max_age_s)


def _read(token: str, *, salt: str, max_age_s: int) -> tuple[int, int]:
    try:
        owner_id, row_id = signing.loads(token, salt=salt, max_age=max_age_s)
    except (signing.BadSignature, ValueError, TypeError):
        raise FileLinkExpired from None
    return owner_id, row_id


def _page_salt(kind: ImageKind) -> str:
    return f"collections_app.page_{kind}"
