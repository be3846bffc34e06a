"""Pages by their words, as Postgres keeps them."""

import pytest
from django.db import connection

from accounts.ownership import acting_for
from collections_app.engine.input import filter_parser
from collections_app.search import word_search
from collections_app.search.scope import Scope
from collections_app.search.word_search import TextMatch
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, search_context, with_vectors


def texts(who: Someone, *pages: str, name: str = "x", **how: object) -> list[int]:
    """The ids of pages with these texts."""
    return with_vectors(who, name, [random_vectors(1, count=1)] * len(pages), texts=pages, **how)  # type: ignore[arg-type]


def found(who: Someone, text: str, where: Scope | None = None) -> list[TextMatch]:
    with acting_for(who.id) as tx:
        return word_search.matches(search_context(tx, who, where or Scope()), text, pages_in_scope=10)


def ids(who: Someone, text: str, where: Scope | None = None) -> list[int]:
    return [match.page_id for match in found(who, text, where)]


@pytest.mark.parametrize(
    "written", ["INV-2023-0042", "inv-2023-0042", "INV 2023 0042", "inv20230042", "INV/2023/0042", "(INV-2023-0042)."]
)
def test_an_identifier_is_found_however_it_is_written(alice: Someone, written: str) -> None:
    other, meant = texts(alice, "Invoice INV-2023-0043 of 2023", "Invoice INV-2023-0042 of 2023")
    assert ids(alice, f"Where is {written}?")[0] == meant
    assert other != meant


@pytest.mark.parametrize("part", ["AB/12-34.X7", "4711.0815_b", "#A-1:77", "ISO-9001:2015"])
def test_a_part_number_is_found_among_its_neighbours(alice: Someone, part: str) -> None:
    *_, meant = texts(alice, "part AB/12-34.X8", "4711.0816_b", "#A-1:78", "ISO-9001:2016", f"part {part}.")
    assert ids(alice, part)[0] == meant


def test_words_are_found_in_other_forms_and_rare_ones_count_more(alice: Someone) -> None:
    common = [f"the keepers walk {number}" for number in range(8)]
    *_, rare = texts(alice, *common, "a keeper of lighthouses")
    assert ids(alice, "lighthouse keepers")[0] == rare
    assert len(ids(alice, "walking keepers")) == 9


def test_a_word_that_comes_again_counts_more_and_a_long_page_less(alice: Someone) -> None:
    long, once, twice = texts(alice, "lens " + "filler words " * 40, "lens of glass", "lens of lens")
    assert ids(alice, "lens") == [twice, once, long]


def test_where_there_are_only_the_commonest_words_they_are_looked_for(alice: Someone) -> None:
    meant, _ = texts(alice, "to be or not to be", "nothing of it")
    assert ids(alice, "To be, or not to be?") == [meant]


def test_scripts_and_compatible_forms_are_found(alice: Someone) -> None:
    tower, street, full = texts(
        alice, "東京タワーの高さ", "Die STRASSE in Île-de-France", "\uff21\uff22\uff23\uff0d\uff11\uff12\uff13 \ufb01ne"
    )
    assert ids(alice, "タワー")[0] == tower
    assert ids(alice, "île de france") == [street]
    assert ids(alice, "ABC-123") == [full]
    assert ids(alice, "fine") == [full]


@pytest.mark.parametrize(
    "text",
    [
        *("", " \n", "!!! & | <-> :* ()", "' OR 1=1 --", "\\", "'\\''", "x" * 10_000, "\U0001f5c2", "\ud7ff\ufffd"),
        *("a:*", "!lens", "& " * 5000, " ".join(f"w{number}" for number in range(2000)), "%s %(x)s {}", "#1"),
    ],
    ids=range(15),
)
def test_no_question_is_read_as_anything_but_words(alice: Someone, text: str) -> None:
    texts(alice, "a lens bends light")
    assert all(match.score > 0 for match in found(alice, text))


def test_a_page_of_any_text_can_be_kept(alice: Someone) -> None:
    many = " ".join(f"{number:x}-{number * 7919:x}" for number in range(20_000))
    wide = "".join(chr(0x20000 + number % 40_000) for number in range(200_000))
    (first, *_) = texts(alice, many, wide, "x" * 200_000, "a-" * 100_000, "\U0001f5c2" * 50_000)
    assert ids(alice, "f-1cfe9") == [first]


def test_words_of_others_are_never_found(alice: Someone, charlie: Someone) -> None:
    texts(charlie, "a lens bends light")
    assert ids(alice, "lens") == []
    (mine,) = texts(alice, "a lens")
    assert ids(alice, "lens") == [mine]
    assert ids(alice, f"#{charlie.id} lens") == [mine]


def test_collections_filters_and_excepted_pages_narrow_the_scope(alice: Someone) -> None:
    (old,) = texts(alice, "lens", name="old", metadata={"year": 2020}, collection="a")
    (new,) = texts(alice, "lens", name="new", metadata={"year": 2026}, collection="b")
    assert ids(alice, "lens", Scope(collections=frozenset({"a"}))) == [old]
    assert ids(alice, "lens", Scope(filter=filter_parser.parse({"key": "year", "op": "gt", "value": 2021}))) == [new]
    assert ids(alice, "lens", Scope(excluded_page_ids=frozenset({old}))) == [new]


def test_contents_that_are_not_shown_any_more_are_not_found(alice: Someone) -> None:
    texts(alice, "an old lens")
    (new,) = texts(alice, "a new lens")
    assert ids(alice, "lens") == [new]


def test_words_that_very_many_pages_have_find_those_that_have_all_of_them(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_search, "_MAX_PAGES_PER_WORD", 3)
    *_, both = texts(alice, *["light"] * 5, *["lens"] * 5, "light and lens")
    assert ids(alice, "light lens") == [both]
    assert len(ids(alice, "light")) == 3


@pytest.mark.django_db
def test_the_index_may_be_asked_before_the_owner_is_known_to_fit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(proleakproof) FROM pg_proc WHERE proname = 'ts_match_vq'")
        assert cursor.fetchone() == (True,)
