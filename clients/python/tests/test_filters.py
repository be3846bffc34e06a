"""Filters in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Server, ok

from paliapi_client import Client, F, Filter

YEAR = {"key": "year", "op": "gte", "value": 2024}
TEAM = {"key": "team", "op": "exists"}
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (F("a") == 1, {"key": "a", "op": "eq", "value": 1}),
        (F("a") == None, {"key": "a", "op": "eq", "value": None}),  # noqa: E711 - that is how it is written
        (F("a") != "b", {"key": "a", "op": "ne", "value": "b"}),
        (F("a") > 1.5, {"key": "a", "op": "gt", "value": 1.5}),
        (F("a") < 1, {"key": "a", "op": "lt", "value": 1}),
        (F("a") <= 1, {"key": "a", "op": "lte", "value": 1}),
        (
            F("contract", "signed") <= date(2026, 1, 2),
            {"key": ["contract", "signed"], "op": "lte", "value": {"date": "2026-01-02"}},
        ),
        (
            F("a") > datetime(2026, 1, 2, tzinfo=EAST),
            {"key": "a", "op": "gt", "value": {"datetime": "2026-01-02T00:00:00+02:00"}},
        ),
        (F("a").is_in(x for x in "bc"), {"key": "a", "op": "in", "value": ["b", "c"]}),
        (F("a").contains("b"), {"key": "a", "op": "contains", "value": "b"}),
        (F("a").starts_with("b"), {"key": "a", "op": "starts_with", "value": "b"}),
        (F("a").ends_with("b"), {"key": "a", "op": "ends_with", "value": "b"}),
        (F("a", on="collection").exists(), {"on": "collection", "key": "a", "op": "exists"}),
        (~F("team").exists(), {"not": TEAM}),
        ((F("year") >= 2024) & ~F("team").exists(), {"and": [YEAR, {"not": TEAM}]}),
        (F("year") >= 2024 & ~F("team").exists(), {"and": [YEAR, {"not": TEAM}]}),
        (F("year") >= 2024 | F("team").exists(), {"or": [YEAR, TEAM]}),
        ((F("year") >= 2024) & TEAM & F("team").exists(), {"and": [YEAR, TEAM, TEAM]}),
        ((F("year") >= 2024) | (Filter(TEAM) & TEAM), {"or": [YEAR, {"and": [TEAM, TEAM]}]}),
    ],
)
def test_filters_are_the_json_of_the_api(condition: Filter, expected: dict[str, Any]) -> None:
    assert condition.to_json() == expected


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: (F("a") == 1) and (F("b") == 2),
        lambda: not F("a").exists(),
        lambda: 1 < F("a") < 3,
        F,
    ],
)
def test_what_python_cannot_express_is_refused(mistake: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        mistake()


def test_a_time_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        F("a") > datetime(2026, 1, 2)  # noqa: B015 - it raises


def test_raw_json_is_accepted_too_but_not_a_key_alone(server: Server, client: Client) -> None:
    server.answer(ok({"results": [], "query": ""}))
    client.search("light", filter=YEAR)
    assert b'"query_filter":{"key":"year","op":"gte","value":2024}' in server.bodies[0].replace(b" ", b"")
    with pytest.raises(TypeError, match="alone"):
        client.search("light", filter=F("year"))  # type: ignore[arg-type]
