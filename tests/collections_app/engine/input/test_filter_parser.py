from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input.errors import FilterInvalid
from collections_app.engine.input.filter_conditions import (
    Affix,
    And,
    Contains,
    Dated,
    Day,
    Exists,
    Filter,
    HasKeys,
    Instant,
    Not,
    OneOf,
    Or,
    Ordered,
    Within,
)
from collections_app.engine.input.filter_parser import (
    LOOKUPS,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_TEXT,
    MAX_VALUES,
    OPS,
    parse,
)
from paliapi.errors import Problem

YEAR = {"key": "year", "value": 2024}
IS_2024 = OneOf("document", ("year",), (2024,))


def problems_of(raw: object) -> list[tuple[str, str]]:
    with pytest.raises(FilterInvalid) as caught:
        parse(raw)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        (YEAR, IS_2024),
        ({**YEAR, "lookup": "key_lookup", "on": "document"}, IS_2024),
        ({**YEAR, "lookup": "contains"}, IS_2024),
        ({**YEAR, "lookup": None, "on": None, "op": None, "and": None}, IS_2024),
        ({**YEAR, "lookup": "contained_by"}, Within("document", "year", 2024)),
        ({"key": "year", "value": "", "lookup": "key_lookup"}, OneOf("document", ("year",), ("",))),
        ({"key": "year", "value": False}, OneOf("document", ("year",), (False,))),
        ({"key": "year", "lookup": "has_key"}, Exists("document", ("year",))),
        ({"key": "year", "lookup": "has_key", "value": None}, Exists("document", ("year",))),
        ({"key": "year", "lookup": "has_key", "value": ""}, Exists("document", ("year",))),
        ({"key": ["a", "b"], "lookup": "has_keys", "value": ""}, HasKeys("document", ("a", "b"), every=True)),
        ({"key": ["a"], "lookup": "has_any_keys"}, HasKeys("document", ("a",), every=False)),
        ({"key": [], "lookup": "has_keys"}, HasKeys("document", (), every=True)),
    ],
)
def test_the_six_lookups_keep_their_meaning(raw: dict[str, Any], condition: object) -> None:
    assert parse(raw) == Filter("document", condition)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"value": 1}, ("/key", "missing")),
        ({"key": None, "value": 1}, ("/key", "missing")),
        ({"key": 1, "value": 1}, ("/key", "wrong_type")),
        ({"key": ["a"], "value": 1}, ("/key", "wrong_type")),
        ({"key": "a"}, ("/value", "missing")),
        ({"key": "a", "value": None, "lookup": "contains"}, ("/value", "missing")),
        ({"key": "a", "value": [1]}, ("/value", "wrong_type")),
        ({"key": "a", "value": {"date": "2024-01-01"}}, ("/value", "wrong_type")),
        ({"key": "a", "lookup": "has_key", "value": 1}, ("/value", "not_allowed")),
        ({"key": "a", "lookup": "has_key", "value": 0}, ("/value", "not_allowed")),
        ({"key": "a", "lookup": "has_key", "value": False}, ("/value", "not_allowed")),
        ({"key": ["a"], "lookup": "has_keys", "value": "x"}, ("/value", "not_allowed")),
        ({"key": ["a"], "lookup": "has_key"}, ("/key", "wrong_type")),
        ({"key": "a", "lookup": "has_keys"}, ("/key", "wrong_type")),
        ({"key": ["a", 1], "lookup": "has_any_keys"}, ("/key/1", "wrong_type")),
        ({"key": "a", "value": 1, "lookup": "contain_by"}, ("/lookup", "unknown_word")),
        ({"key": "a", "value": 1, "lookup": "KEY_LOOKUP"}, ("/lookup", "unknown_word")),
        ({"key": "a", "value": 1, "lookup": ["contains"]}, ("/lookup", "unknown_word")),
        ({"key": "a", "value": 1, "on": "Document"}, ("/on", "unknown_word")),
        ({"key": "a", "value": 1, "on": {}}, ("/on", "unknown_word")),
        ({"key": "a\x00", "value": 1}, ("/key", "bad_key")),
        ({"key": "k" * 256, "value": 1}, ("/key", "bad_key")),
        ({"key": "a", "value": "\ud800"}, ("/value", "bad_value")),
        ({"key": "a", "value": float("inf")}, ("/value", "bad_value")),
        ({"key": "a", "value": 10**400}, ("/value", "bad_value")),
        ({"key": "a", "value": "x" * (MAX_TEXT + 1)}, ("/value", "too_long")),
        ({"key": ["a"] * 65, "lookup": "has_keys"}, ("/key", "wrong_type")),
    ],
)
def test_an_invalid_lookup_is_rejected_with_a_pointer(raw: object, problem: tuple[str, str]) -> None:
    assert problems_of(raw) == [problem]


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        ({"key": "a", "op": "eq", "value": "x"}, OneOf("document", ("a",), ("x",))),
        ({"key": "a", "op": "eq", "value": None}, OneOf("document", ("a",), (None,))),
        ({"key": ["a.b", "c__gt", ""], "op": "eq", "value": 1}, OneOf("document", ("a.b", "c__gt", ""), (1,))),
        ({"key": "a", "op": "ne", "value": 1}, Not(OneOf("document", ("a",), (1,)))),
        ({"key": "a", "op": "in", "value": [1, "1", None]}, OneOf("document", ("a",), (1, "1", None))),
        ({"key": "a", "op": "in", "value": []}, OneOf("document", ("a",), ())),
        ({"key": "a", "op": "gt", "value": 1.5}, Ordered("document", ("a",), "gt", 1.5)),
        ({"key": "a", "op": "lte", "value": "m"}, Ordered("document", ("a",), "lte", "m")),
        (
            {"key": "a", "op": "lt", "value": {"date": "2024-02-29"}},
            Dated("document", ("a",), "lt", Day("2024-02-29")),
        ),
        (
            {"key": "a", "op": "eq", "value": {"datetime": "2024-02-29T10:00:00.5+02:00"}},
            Dated("document", ("a",), "eq", Instant("2024-02-29T10:00:00.5+02:00")),
        ),
        (
            {"key": "a", "op": "ne", "value": {"date": "2024-01-01"}},
            Not(Dated("document", ("a",), "eq", Day("2024-01-01"))),
        ),
        ({"key": "a", "op": "contains", "value": "x"}, Contains("document", ("a",), "x")),
        ({"key": "a", "op": "contains", "value": None}, Contains("document", ("a",), None)),
        ({"key": "a", "op": "starts_with", "value": "x"}, Affix("document", ("a",), "x", at_end=False)),
        ({"key": "a", "op": "ends_with", "value": "x"}, Affix("document", ("a",), "x", at_end=True)),
        ({"key": ["a", "b"], "op": "exists", "value": None}, Exists("document", ("a", "b"))),
        ({"key": "a", "op": "exists", "value": ""}, Exists("document", ("a",))),
        ({"key": "a", "op": "exists", "on": "collection"}, Exists("collection", ("a",))),
    ],
)
def test_comparisons_are_parsed(raw: dict[str, Any], condition: Any) -> None:
    assert parse(raw).condition == condition


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"op": "eq", "value": 1}, ("/key", "missing")),
        ({"key": [], "op": "eq", "value": 1}, ("/key", "wrong_type")),
        ({"key": ["a"] * 21, "op": "exists"}, ("/key", "wrong_type")),
        ({"key": ["a", 0], "op": "eq", "value": 1}, ("/key/1", "wrong_type")),
        ({"key": {"a": 1}, "op": "eq", "value": 1}, ("/key", "wrong_type")),
        ({"key": "a", "op": "eq"}, ("/value", "missing")),
        ({"key": "a", "op": "between", "value": 1}, ("/op", "unknown_word")),
        ({"key": "a", "op": 1, "value": 1}, ("/op", "unknown_word")),
        ({"key": "a", "op": "eq", "value": [1]}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": True}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": None}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "2023-02-29"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "2024-02-29T10:00"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "2024-02-29\n"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "0000-01-01"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "\u0662024-01-01"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"datetime": "2024-01-01T24:00"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"datetime": "now"}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": 1}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "gt", "value": {"date": "2024-01-01", "x": 1}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "in", "value": "x"}, ("/value", "wrong_type")),
        ({"key": "a", "op": "in", "value": [1] * (MAX_VALUES + 1)}, ("/value", "wrong_type")),
        ({"key": "a", "op": "in", "value": [1, [2]]}, ("/value/1", "wrong_type")),
        ({"key": "a", "op": "contains", "value": {}}, ("/value", "wrong_type")),
        ({"key": "a", "op": "starts_with", "value": 1}, ("/value", "wrong_type")),
        ({"key": "a", "op": "ends_with", "value": None}, ("/value", "wrong_type")),
        ({"key": "a", "op": "exists", "value": True}, ("/value", "not_allowed")),
        ({"key": "a", "op": "eq", "value": 1, "lookup": "contains"}, ("/lookup", "not_allowed")),
        ({"key": "a", "value": 1, "opp": "gt"}, ("", "unknown_field")),
        ({"key": "a", "value": 1, "\ud800": "gt"}, ("", "unknown_field")),
    ],
)
def test_an_invalid_comparison_is_rejected_with_a_pointer(raw: object, problem: tuple[str, str]) -> None:
    assert problems_of(raw) == [problem]


def test_conditions_combine() -> None:
    raw = {"and": [YEAR, {"or": [{"not": YEAR}, {"key": "a", "op": "exists"}]}]}
    assert parse(raw).condition == And((IS_2024, Or((Not(IS_2024), Exists("document", ("a",))))))


def test_on_applies_to_all_inner_conditions() -> None:
    parsed = parse({"on": "collection", "not": {"or": [YEAR, YEAR]}})
    of_collection = OneOf("collection", ("year",), (2024,))
    assert parsed == Filter("collection", Not(Or((of_collection, of_collection))))


def test_a_filter_on_documents_may_test_their_collection_but_not_the_reverse() -> None:
    parsed = parse({"and": [YEAR, {**YEAR, "on": "collection"}]})
    assert parsed == Filter("document", And((IS_2024, OneOf("collection", ("year",), (2024,)))))
    assert problems_of({"on": "collection", "and": [YEAR, {**YEAR, "on": "document"}]}) == [
        ("/and/1/on", "not_allowed")
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, ("", "wrong_type")),
        ([YEAR], ("", "wrong_type")),
        ({}, ("/key", "missing")),
        ({"and": []}, ("/and", "wrong_type")),
        ({"and": YEAR}, ("/and", "wrong_type")),
        ({"or": [YEAR] * (MAX_CONDITIONS + 1)}, ("/or", "wrong_type")),
        ({"not": [YEAR]}, ("/not", "wrong_type")),
        ({"not": {"and": ["text"]}}, ("/not/and/0", "wrong_type")),
        ({"and": [YEAR], "or": [YEAR]}, ("/or", "not_allowed")),
        ({"and": [YEAR], **YEAR}, ("/key", "not_allowed")),
    ],
)
def test_an_invalid_combination_is_rejected(raw: object, problem: tuple[str, str]) -> None:
    assert problems_of(raw) == [problem]


def test_all_problems_are_reported_at_once() -> None:
    raw = {"and": [{"key": 1, "value": 1}, YEAR, {"or": [{"key": "a"}, {"not": 1}]}]}
    assert problems_of(raw) == [
        ("/and/0/key", "wrong_type"),
        ("/and/2/or/0/value", "missing"),
        ("/and/2/or/1/not", "wrong_type"),
    ]


def test_depth_and_number_of_conditions_are_limited() -> None:
    deep: dict[str, Any] = YEAR
    for _ in range(MAX_DEPTH - 1):
        deep = {"not": deep}
    assert isinstance(parse(deep).condition, Not)
    assert problems_of({"not": deep}) == [("/not" * MAX_DEPTH, "too_deep")]
    full = {"or": [{"and": [YEAR] * (MAX_CONDITIONS // 2)}] * 2}
    assert isinstance(parse(full).condition, Or)
    assert problems_of({"and": [full, YEAR]}) == [("/and/1", "too_many")]


def test_an_extremely_deep_filter_is_rejected_without_recursion() -> None:
    deep: Any = YEAR
    for _ in range(100_000):
        deep = {"not": deep}
    assert problems_of(deep) == [("/not" * MAX_DEPTH, "too_deep")]


def test_pointers_start_at_the_location_of_the_filter() -> None:
    with pytest.raises(FilterInvalid) as caught:
        parse({"key": "a"}, at="/query_filter")
    assert caught.value.problems[0].pointer == "/query_filter/value"


_words = st.sampled_from(["on", "key", "value", "lookup", "op", "and", "or", "not", "date", *LOOKUPS, *OPS, "document"])
_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | _words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(_junk)
def test_any_json_is_either_a_filter_or_an_error_with_a_pointer(raw: object) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse(raw)
    except FilterInvalid as error:
        problems = error.problems or (Problem("\ud800", "", "an error must have a pointer"),)
    assert all(f"{problem.pointer}{problem.detail}".encode() for problem in problems)
