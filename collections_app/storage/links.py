"""Signed links to images of pages: whoever has one may look at this page until it expires, or the page goes.

A link to the small picture is good for that alone.
"""

from typing import Literal, TypeAlias

from django.core import signing

from collections_app.storage.errors import FileLinkExpired

Picture: TypeAlias = Literal["image", "thumbnail"]


def page_token(owner_id: int, page_id: int, *, of: Picture = "image") -> str:
    """What the link carries."""
    return signing.dumps([owner_id, page_id], salt=_salt(of))


def page_of(token: str, *, of: Picture = "image", max_age_s: int) -> tuple[int, int]:
    """(owner id, page id) of a link that is still good."""
    try:
        owner_id, page_id = signing.loads(token, salt=_salt(of), max_age=max_age_s)
    except (signing.BadSignature, ValueError, TypeError):
        raise FileLinkExpired from None
    return owner_id, page_id


def _salt(of: Picture) -> str:
    return f"collections_app.page_{of}"
