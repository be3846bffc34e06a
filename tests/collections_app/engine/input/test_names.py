"""Every name that may be given leads back to what has it."""

from collections.abc import Callable
from itertools import product

import pytest
from django.urls import resolve

from collections_app.engine.input.errors import NameReserved
from collections_app.engine.input.names import collection_checked, document_checked

WORDS = ("a", "cancel", "retry", "events", "quality", "pages", "3", "image", "upsert-document", "delete-document", "")
NAMES = ["/".join(words) for length in (1, 2, 3) for words in product(WORDS, repeat=length)]
NAMES += [f"{name}/image" for name in NAMES if name.endswith("pages/3")]


@pytest.mark.parametrize(
    ("checked", "view", "plural"),
    [(document_checked, "document", "documents"), (collection_checked, "collection", "collections")],
    ids=["document", "collection"],
)
def test_a_name_is_refused_or_its_address_leads_to_it(checked: Callable[..., str], view: str, plural: str) -> None:
    allowed = []
    for name in filter(str.strip, NAMES):
        try:
            checked(name, at="/name")
        except NameReserved:
            continue
        found = resolve(f"/v1/{plural}/{name}/")
        assert (found.url_name, list(found.kwargs.values())) == (view, [name]), name
        allowed.append(name)
    assert len(allowed) > len(NAMES) / 2


@pytest.mark.parametrize("name", ["events", "quality", "cancel", "retry", "image", "pages/3/image"])
def test_a_word_of_an_address_alone_is_a_name_like_any_other(name: str) -> None:
    assert document_checked(name, at="/name") == collection_checked(name, at="/name") == name


def test_the_words_of_one_sort_of_address_are_free_in_the_other() -> None:
    assert document_checked("air/quality", at="/name") == "air/quality"
    assert collection_checked("2026/events", at="/name") == "2026/events"
