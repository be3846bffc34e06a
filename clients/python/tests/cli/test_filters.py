"""Filters on the command line."""

import pytest

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.filters import parse_filter, parse_filters


@pytest.mark.parametrize(
    ("text", "filter_"),
    [
        ("year>=2024", {"key": "year", "op": "gte", "value": 2024}),
        ("year != 2024", {"key": "year", "op": "ne", "value": 2024}),
        ('year="2024"', {"key": "year", "op": "eq", "value": "2024"}),
        ("author=A. Fresnel", {"key": "author", "op": "eq", "value": "A. Fresnel"}),
        ("signed=true", {"key": "signed", "op": "eq", "value": True}),
        ("note=null", {"key": "note", "op": "eq", "value": None}),
        ("note=", {"key": "note", "op": "eq", "value": ""}),
        ("formula=a=b", {"key": "formula", "op": "eq", "value": "a=b"}),
        ('tags~"coast"', {"key": "tags", "op": "contains", "value": "coast"}),
        ("contract.signed=NaN", {"key": ["contract", "signed"], "op": "eq", "value": "NaN"}),
        ("draft", {"key": "draft", "op": "exists"}),
        ("!draft", {"not": {"key": "draft", "op": "exists"}}),
        ('{"or": []}', {"or": []}),
    ],
)
def test_conditions_are_parsed(text: str, filter_: object) -> None:
    assert parse_filter(text) == filter_


@pytest.mark.parametrize("text", ["", "  ", "!", "{", "{]", '{"a": 1} x'])
def test_what_is_no_filter_is_explained(text: str) -> None:
    with pytest.raises(Complaint) as error:
        parse_filter(text)
    assert error.value.code == "filter_invalid"


def test_several_filters_all_apply() -> None:
    assert parse_filters([]) is None
    assert parse_filters(["a=1", "b"]) == {"and": [{"key": "a", "op": "eq", "value": 1}, {"key": "b", "op": "exists"}]}
