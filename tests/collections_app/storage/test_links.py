"""Tokens of signed links."""

from collections.abc import Callable

import pytest

from collections_app.models import StoredFile
from collections_app.storage import links
from collections_app.storage.errors import FileLinkExpired


def test_token_of_a_file_identifies_its_owner_and_row() -> None:
    token = links.file_token(StoredFile(owner_id=3, pk=7))
    assert links.read_file_token(token, max_age_s=60) == (3, 7)


@pytest.mark.parametrize("kind", ["image", "thumbnail"])
def test_token_of_a_page_identifies_its_owner_and_row(kind: links.ImageKind) -> None:
    token = links.page_token(3, 7, kind=kind)
    assert links.read_page_token(token, kind=kind, max_age_s=60) == (3, 7)


def test_token_of_a_thumbnail_opens_nothing_else() -> None:
    token = links.page_token(3, 7, kind="thumbnail")
    with pytest.raises(FileLinkExpired):
        links.read_page_token(token, kind="image", max_age_s=60)
    with pytest.raises(FileLinkExpired):
        links.read_file_token(token, max_age_s=60)


def test_expired_token_is_rejected() -> None:
    token = links.file_token(StoredFile(owner_id=3, pk=7))
    with pytest.raises(FileLinkExpired):
        links.read_file_token(token, max_age_s=-1)


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda _: "", lambda _: "é"])
def test_altered_token_is_rejected(change: Callable[[str], str]) -> None:
    token = links.page_token(3, 7)
    with pytest.raises(FileLinkExpired):
        links.read_page_token(change(token), max_age_s=60)
