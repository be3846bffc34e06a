"""Text search with Postgres."""

from typing import Any

import pytest
from django.db import connection

from accounts.ownership import acting_for
from collections_app.engine.input import filter_parser
from collections_app.engine.retrieval import fusion
from collections_app.search import word_search
from collections_app.search.scope import Scope
from collections_app.search.word_search import TextMatch, TextMatches
from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, search_context, with_vectors


def store(who: Someone, *texts: str, name: str = "x", **options: Any) -> list[int]:
    """Store pages with these texts, and return their ids."""
    return with_vectors(who, name, [random_vectors(1, count=1)] * len(texts), texts=texts, **options)


def search(who: Someone, text: str, scope: Scope | None = None) -> TextMatches:
    with acting_for(who.id) as tx:
        return word_search.matches(search_context(tx, who, scope), text, pages_in_scope=10)


def matches(who: Someone, text: str, scope: Scope | None = None) -> list[TextMatch]:
    return search(who, text, scope).ranked


def ids(who: Someone, text: str, scope: Scope | None = None) -> list[int]:
    return [match.page_id for match in matches(who, text, scope)]


@pytest.mark.parametrize(
    "written", ["INV-2023-0042", "inv-2023-0042", "INV 2023 0042", "inv20230042", "INV/2023/0042", "(INV-2023-0042)."]
)
def test_identifier_is_found_in_any_spelling(alice: Someone, written: str) -> None:
    _, expected = store(alice, "Invoice INV-2023-0043 of 2023", "Invoice INV-2023-0042 of 2023")
    assert ids(alice, f"Where is {written}?")[0] == expected


@pytest.mark.parametrize("part", ["AB/12-34.X7", "4711.0815_b", "#A-1:77", "ISO-9001:2015"])
def test_part_number_is_found_among_similar_ones(alice: Someone, part: str) -> None:
    *_, expected = store(alice, "part AB/12-34.X8", "4711.0816_b", "#A-1:78", "ISO-9001:2016", f"part {part}.")
    assert ids(alice, part)[0] == expected


def test_only_identifiers_on_few_pages_come_first(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "MAX_PAGES_PER_IDENTIFIER", 2)
    one, two, *_, other = store(alice, "in SO_PEERCRED", "SO_PEERCRED", *["PG15 here"] * 3, "a lens, PG15")
    exact = {match.page_id for match in matches(alice, "lens of SO_PEERCRED and PG15") if match.exact}
    assert exact == {one, two}
    assert ids(alice, "lens of PG15")[0] == other
    assert not any(match.exact for match in matches(alice, "lens of PG15"))


def test_share_of_the_words_of_a_query_counts_rare_ones_more(alice: Someone) -> None:
    lens, light, both, _ = store(alice, "lens and light", "light", "a lens in the light of day", "nothing")
    found = search(alice, "a lens by daylight and light")
    shares = found.shares_of([lens, light, both])
    assert shares[lens] == shares[both] > shares[light] > 0
    assert shares[lens] < 0.6, "a word that no page contains counts as well"
    assert search(alice, "light of a lens").shares_of([lens]) == {lens: pytest.approx(1)}
    assert found.shares_of([0]) == {}


def test_words_of_too_many_pages_to_list_have_no_share(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_search, "_MAX_PAGES_PER_WORD", 3)
    *pages, both = store(alice, *["light"] * 5, "light of a lens")
    assert search(alice, "lens light").shares_of([*pages, both]) == {both: pytest.approx(1)}
    assert search(alice, "light").shares_of([*pages, both]) == {}


def test_words_match_other_inflections_and_rare_words_count_more(alice: Someone) -> None:
    common = [f"the keepers walk {number}" for number in range(8)]
    *_, rare = store(alice, *common, "a keeper of lighthouses")
    assert ids(alice, "lighthouse keepers")[0] == rare
    assert len(ids(alice, "walking keepers")) == 9


def test_repeated_words_count_more_and_long_pages_less(alice: Someone) -> None:
    long, once, twice = store(alice, "lens " + "filler words " * 40, "lens of glass", "lens of lens")
    assert ids(alice, "lens") == [twice, once, long]


def test_query_of_stop_words_only_is_searched(alice: Someone) -> None:
    expected, _ = store(alice, "to be or not to be", "nothing of it")
    assert ids(alice, "To be, or not to be?") == [expected]


def test_other_scripts_and_compatibility_forms_are_found(alice: Someone) -> None:
    tower, street, full = store(
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
def test_query_syntax_is_never_interpreted(alice: Someone, text: str) -> None:
    store(alice, "a lens bends light")
    assert all(match.score > 0 for match in matches(alice, text))


def test_any_text_can_be_indexed(alice: Someone) -> None:
    many = " ".join(f"{number:x}-{number * 7919:x}" for number in range(20_000))
    wide = "".join(chr(0x20000 + number % 40_000) for number in range(200_000))
    (first, *_) = store(alice, many, wide, "x" * 200_000, "a-" * 100_000, "\U0001f5c2" * 50_000)
    assert ids(alice, "f-1cfe9") == [first]


def test_pages_of_other_owners_are_never_found(alice: Someone, charlie: Someone) -> None:
    store(charlie, "a lens bends light")
    assert ids(alice, "lens") == []
    (own,) = store(alice, "a lens")
    assert ids(alice, "lens") == [own]
    assert ids(alice, f"#{charlie.id} lens") == [own]


def test_collections_filters_and_excluded_pages_narrow_the_scope(alice: Someone) -> None:
    (old,) = store(alice, "lens", name="old", metadata={"year": 2020}, collection="a")
    (new,) = store(alice, "lens", name="new", metadata={"year": 2026}, collection="b")
    assert ids(alice, "lens", Scope(collections=frozenset({"a"}))) == [old]
    assert ids(alice, "lens", Scope(filter=filter_parser.parse({"key": "year", "op": "gt", "value": 2021}))) == [new]
    assert ids(alice, "lens", Scope(excluded_page_ids=frozenset({old}))) == [new]


def test_replaced_revisions_are_not_found(alice: Someone) -> None:
    store(alice, "an old lens")
    (new,) = store(alice, "a new lens")
    assert ids(alice, "lens") == [new]


def test_very_common_words_find_pages_that_have_all_of_them(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_search, "_MAX_PAGES_PER_WORD", 3)
    *_, both = store(alice, *["light"] * 5, *["lens"] * 5, "light and lens")
    assert ids(alice, "light lens") == [both]
    assert len(ids(alice, "light")) == 3


@pytest.mark.django_db
def test_match_operator_is_leakproof_so_that_the_index_is_used_under_row_level_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(proleakproof) FROM pg_proc WHERE proname = 'ts_match_vq'")
        assert cursor.fetchone() == (True,)
