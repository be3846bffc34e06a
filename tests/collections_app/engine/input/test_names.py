"""Every accepted name routes back to the document or collection that has it."""

from collections.abc import Callable
from itertools import product

import pytest
from django.urls import resolve

from collections_app.engine.input.errors import NameReserved
from collections_app.engine.input.names import check_collection_name, check_document_name

WORDS = ("a", "cancel", "retry", "events", "quality", "pages", "3", "image", "upsert-document", "delete-document", "")
NAMES = ["/".join(words) for length in (1, 2, 3) for words in product(WORDS, repeat=length)]
NAMES += [f"{name}/image" for name in NAMES if name.endswith("pages/3")]


@pytest.mark.parametrize(
    ("check", "view", "plural"),
    [(check_document_name, "document", "documents"), (check_collection_name, "collection", "collections")],
    ids=["document", "collection"],
)
def test_every_accepted_name_resolves_to_its_own_view(check: Callable[..., str], view: str, plural: str) -> None:
    allowed = []
    for name in filter(str.strip, NAMES):
        try:
            check(name, at="/name")
        except NameReserved:
            continue
        match = resolve(f"/v1/{plural}/{name}/")
        assert (match.url_name, list(match.kwargs.values())) == (view, [name]), name
        allowed.append(name)
    assert len(allowed) > len(NAMES) / 2


@pytest.mark.parametrize("name", ["events", "quality", "cancel", "retry", "image", "pages/3/image"])
def test_a_path_word_alone_is_an_ordinary_name(name: str) -> None:
    assert check_document_name(name, at="/name") == check_collection_name(name, at="/name") == name


def test_words_reserved_for_one_kind_are_free_for_the_other() -> None:
    assert check_document_name("air/quality", at="/name") == "air/quality"
    assert check_collection_name("2026/events", at="/name") == "2026/events"
