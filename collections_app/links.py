"""Signed links to images of pages: whoever has one may look at this page until it expires, or the page goes."""

from django.core import signing

from collections_app.errors import FileLinkExpired
from collections_app.models import Page

_SALT = "collections_app.page_image"


def page_token(page: Page) -> str:
    """What the link carries."""
    return signing.dumps([page.owner_id, page.pk], salt=_SALT)


def page_of(token: str, *, max_age_s: int) -> tuple[int, int]:
    """(owner id, page id) of a link that is still good."""
    try:
        owner_id, page_id = signing.loads(token, salt=_SALT, max_age=max_age_s)
    except (signing.BadSignature, ValueError, TypeError):
        raise FileLinkExpired from None
    return owner_id, page_id
