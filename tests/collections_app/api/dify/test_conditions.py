"""Dify's operators as filters."""

from typing import Any

import pytest

from collections_app.api.dify.conditions import OPERATORS, filter_json, parse
from collections_app.engine.input.errors import FilterInvalid
from tests.collections_app.search.reference_filter import matches

DOCUMENT = {
    "team": "harbour",
    "year": 2026,
    "signed": "2026-03-01",
    "sent": 1767225600,
    "final": True,
    "tags": ["lens", "lamp"],
    "note": None,
}


def matches_dify(*conditions: tuple[str, str, Any], operator: str | None = None) -> bool:
    raw = filter_json(
        {
            "logical_operator": operator,
            "conditions": [
                {"name": name, "comparison_operator": op, **({} if value is None else {"value": value})}
                for name, op, value in conditions
            ],
        }
    )
    assert raw is not None
    return matches(parse(raw).condition, DOCUMENT, {})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("team", "contains", "arb"), True),
        (("tags", "contains", "lens"), True),
        (("team", "not contains", "arb"), False),
        (("team", "start with", "har"), True),
        (("team", "start with", "arb"), False),
        (("team", "end with", "bour"), True),
        (("team", "is", "harbour"), True),
        (("year", "is", "2026"), True),
        (("final", "is", "true"), True),
        (("team", "is not", "harbour"), False),
        (("missing", "is not", "harbour"), True),
        (("team", "in", "coast, harbour"), True),
        (("year", "in", ["2025", "2026"]), True),
        (("team", "not in", ["coast"]), True),
        (("note", "empty", None), True),
        (("missing", "empty", ""), True),
        (("team", "not empty", None), True),
        (("team", "null", None), False),
        (("team", "not null", None), True),
        (("year", "=", "2026.0"), True),
        (("year", "≠", 2025), True),
        (("year", ">", "2025"), True),
        (("year", "<", 2026), False),
        (("year", "≥", 2026), True),
        (("year", "≤", "2025.5"), False),
        (("signed", "before", "2026-03-02"), True),
        (("signed", "after", "2026-03-01T00:00:00Z"), False),
        (("sent", "after", 1767225599), True),
    ],
)
def test_operator_matches_as_in_dify(condition: tuple[str, str, Any], expected: bool) -> None:
    assert matches_dify(condition) is expected


def test_conditions_combine_by_the_logical_operator() -> None:
    right, wrong = ("year", "=", 2026), ("team", "is", "coast")
    assert not matches_dify(right, wrong)
    assert matches_dify(right, wrong, operator="or")


def test_no_conditions_are_no_filter() -> None:
    assert filter_json({"conditions": []}) is None
    assert filter_json({"conditions": None}) is None


@pytest.mark.parametrize("op", [op for op in OPERATORS if op not in ("empty", "not empty", "null", "not null")])
@pytest.mark.parametrize("value", [None, {"a": 1}, [[1]], [{}], "\x00"])
def test_unusable_value_is_refused_at_its_condition(op: str, value: Any) -> None:
    conditions = [
        {"name": "a", "comparison_operator": "empty"},
        {"name": "a", "comparison_operator": op, "value": value},
    ]
    with pytest.raises(FilterInvalid) as raised:
        filter_json({"conditions": conditions})
    assert [problem.pointer for problem in raised.value.problems] == ["/metadata_condition/conditions/1"]
