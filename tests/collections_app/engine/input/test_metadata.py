import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input.errors import MetadataInvalid, MetadataTooLarge
from collections_app.engine.input.metadata import MAX_DEPTH, MOST_PROBLEMS, checked

PLENTY = 1_000_000

scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
trees = st.recursive(scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15)


def nested(levels: int) -> dict[str, Any]:
    """An object with as many levels, itself included."""
    found: dict[str, Any] = {}
    for _ in range(levels - 1):
        found = {"a": found}
    return found


def codes_at(metadata: object) -> list[tuple[str, str]]:
    with pytest.raises(MetadataInvalid) as refused:
        checked(metadata, max_bytes=PLENTY)
    return [(problem.pointer, problem.code) for problem in refused.value.problems]


@given(st.dictionaries(texts, trees))
def test_what_is_plain_json_is_kept_unchanged(metadata: dict[str, Any]) -> None:
    assert checked(metadata, max_bytes=PLENTY) is metadata


@pytest.mark.parametrize("metadata", [[], "text", 1, None, True, [{}]])
def test_only_an_object_is_metadata(metadata: object) -> None:
    assert codes_at(metadata) == [("/metadata", "not_an_object")]


def test_nesting_ends_at_the_limit() -> None:
    assert checked(nested(MAX_DEPTH), max_bytes=PLENTY) == nested(MAX_DEPTH)
    assert codes_at(nested(MAX_DEPTH + 1)) == [("/metadata" + "/a" * MAX_DEPTH, "too_deep")]


@pytest.mark.parametrize("opening", ["{", "["])
def test_a_hundred_thousand_levels_are_refused_like_twenty_one(opening: str) -> None:
    inner: Any = None
    for _ in range(100_000):
        inner = {"a": inner} if opening == "{" else [inner]
    [(_, code)] = codes_at({"a": inner})
    assert code == "too_deep"


def test_the_limit_of_bytes_counts_utf8_and_is_met_exactly() -> None:
    metadata = {"é": "日本"}
    size = len('{"é":"日本"}'.encode())
    assert checked(metadata, max_bytes=size) == metadata
    with pytest.raises(MetadataTooLarge) as refused:
        checked(metadata, max_bytes=size - 1)
    assert refused.value.problems[0].pointer == "/metadata"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff text"])
def test_text_that_postgres_cannot_hold_is_pointed_at(text: str) -> None:
    assert codes_at({"a": [{"b/c~d": text}]}) == [("/metadata/a/0/b~1c~0d", "not_storable")]


@pytest.mark.parametrize("key", ["a\x00b", "\ud800", "k" * 256])
def test_a_bad_key_is_told_at_its_object_in_words_that_can_be_sent(key: str) -> None:
    with pytest.raises(MetadataInvalid) as refused:
        checked({"a": {key: {"not": "looked at"}}}, max_bytes=PLENTY)
    [problem] = refused.value.problems
    assert (problem.pointer, problem.code) == ("/metadata/a", "bad_key")
    assert problem.detail.isascii()
    assert len(problem.detail) < 200


def test_a_key_may_have_255_characters_or_none() -> None:
    metadata = {"": 1, "k" * 255: 2, "a__gt": 3}
    assert checked(metadata, max_bytes=PLENTY) == metadata


@pytest.mark.parametrize("raw", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400, "-1" + "0" * 4000])
def test_numbers_beyond_all_use_are_refused(raw: str) -> None:
    assert codes_at(json.loads('{"n": [' + raw + "]}")) == [("/metadata/n/0", "not_storable")]


def test_an_integer_of_any_length_is_refused_without_being_printed() -> None:
    assert codes_at({"n": 1 << 100_000}) == [("/metadata/n", "not_storable")]


@pytest.mark.parametrize("raw", ["1e308", "-1.7976931348623157e308", "5e-324", "9007199254740993", "-0.0"])
def test_any_number_that_a_float_can_hold_is_kept(raw: str) -> None:
    assert checked(json.loads('{"n": ' + raw + "}"), max_bytes=PLENTY)


def test_a_large_float_is_welcome_when_it_comes_back_written_out() -> None:
    assert checked({"n": int(1.7976931348623157e308)}, max_bytes=PLENTY)


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, (1, 2), 1j])
def test_what_is_not_json_is_refused(value: object) -> None:
    assert codes_at({"a": value}) == [("/metadata/a", "not_json")]
    assert codes_at({1: "a"}) == [("/metadata", "not_json")]


def test_problems_come_in_order_and_end_somewhere() -> None:
    found = codes_at({"list": ["\x00"] * 1000})
    assert found == [(f"/metadata/list/{number}", "not_storable") for number in range(MOST_PROBLEMS)]


def test_the_place_in_the_request_is_the_callers_to_name() -> None:
    with pytest.raises(MetadataInvalid) as refused:
        checked({"a": "\x00"}, max_bytes=PLENTY, at="/items/3/metadata")
    assert refused.value.problems[0].pointer == "/items/3/metadata/a"
