"""Tokens of signed links."""

from collections.abc import Callable

import pytest
from django.core import signing

from collections_app.storage import links
from collections_app.storage.errors import FileLinkExpired
from collections_app.storage.links import FileLink, PageLink

FILE = FileLink(owner_id=3, key_id=1, document_id=5, file_id=7)
PAGE = PageLink(owner_id=3, key_id=1, page_id=7)


def test_token_of_a_file_identifies_its_rows() -> None:
    assert links.read_file_token(links.file_token(FILE), max_age_s=60) == FILE


@pytest.mark.parametrize("kind", ["image", "thumbnail"])
def test_token_of_a_page_identifies_its_rows(kind: links.ImageKind) -> None:
    assert links.read_page_token(links.page_token(PAGE, kind=kind), kind=kind, max_age_s=60) == PAGE


def test_token_of_a_thumbnail_opens_nothing_else() -> None:
    token = links.page_token(PAGE, kind="thumbnail")
    with pytest.raises(FileLinkExpired):
        links.read_page_token(token, kind="image", max_age_s=60)
    with pytest.raises(FileLinkExpired):
        links.read_file_token(token, max_age_s=60)


def test_expired_token_is_rejected() -> None:
    with pytest.raises(FileLinkExpired):
        links.read_file_token(links.file_token(FILE), max_age_s=-1)


@pytest.mark.parametrize("values", [[3, 7], [3, 1, 5, 7, 9], {"a": 1}, "abcd", None, 7])
def test_token_of_another_version_is_rejected(values: object) -> None:
    with pytest.raises(FileLinkExpired):
        links.read_file_token(signing.dumps(values, salt="collections_app.file_link"), max_age_s=60)


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda _: "", lambda _: "é"])
def test_altered_token_is_rejected(change: Callable[[str], str]) -> None:
    with pytest.raises(FileLinkExpired):
        links.read_page_token(change(links.page_token(PAGE)), max_age_s=60)
