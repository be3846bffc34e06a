"""Every accepted name routes back to the document or collection that has it."""

from collections.abc import Callable
from itertools import product

import pytest
from django.urls import resolve

from collections_app.engine.input.errors import NameInvalid, NameReserved
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


@pytest.mark.parametrize(
    "name", ["report\u202efdp.exe", "a\u2066b", "zero\u200bwidth", "a\ufeff", "a\U000e0041b", "a\x9fb"]
)
def test_invisible_characters_are_refused(name: str) -> None:
    for check in (check_document_name, check_collection_name):
        with pytest.raises(NameInvalid, match="invisible"):
            check(name, at="/name")


@pytest.mark.parametrize("name", ["\u200d", "\u200e \u200f", "\u3164", "\u2800", "\u3000"])
def test_name_without_a_visible_character_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid, match="visible character"):
        check_document_name(name, at="/name")


@pytest.mark.parametrize(
    "name",
    ["\u0646\u0627\u0645\u0647\u200c\u0647\u0627", "\u0915\u094d\u200d\u0937", "\U0001f5c2\ufe0f", "\u05d0\u200f!"],
)
def test_joiners_and_marks_that_languages_need_are_accepted(name: str) -> None:
    assert check_document_name(name, at="/name") == name
