"""Metadata filters as SQL, compared with a reference implementation."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, TypeAlias

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.ownership import acting_for
from collections_app.engine.input.filter_conditions import (
    Affix,
    And,
    Condition,
    Contains,
    Dated,
    Day,
    Exists,
    HasKeys,
    Instant,
    Not,
    On,
    OneOf,
    Or,
    Order,
    Ordered,
    Path,
    Within,
)
from collections_app.engine.input.filter_parser import parse
from collections_app.engine.input.jsonb import Scalar
from collections_app.models import Collection, Document
from collections_app.search.filter_sql import metadata_matches
from tests.cast import Someone
from tests.collections_app.search.reference_filter import matches

Metadata: TypeAlias = dict[str, Any]

KEYS = ("a", "b", "a.b", "a__gt", "0", "", "%s", "'; --", "\u043a\u043b\u044e\u0447")
SCALARS: tuple[Scalar, ...] = (
    *(None, True, False, 0, 1, 1.0, -1, 2, 2024, 2024.5, 1e300, 10**20, 10**20 + 1),
    *("", "1", "a", "b", "abc", "B", "\u00e9", "z", "\U0001f600", "%", "_", "\\", '"', "true", "null", "2024"),
    *("2024-01-01", "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-02", "9999-12-30", "2024-01-01T00:00:00Z"),
    *("2024-01-01T10:00", "2024-01-01 23:59:59.999999+02:00", "2023-12-31T23:00:00-0500", "2024-01-01T25:00", "now"),
    *("infinity", "2024-01-01 BC", "2024-01-01\n", "1900-02-29", "2000-02-29", "2024-06-31", "2024-01-01T10"),
)
LISTS: tuple[list[Any], ...] = ([], [1, 2], ["a", "abc"], [["a"]], [1.0, None, True], [{"a": 1}], ["2024-01-01"])
OBJECTS: tuple[Metadata, ...] = ({}, {"a": 1}, {"b": {"a": "abc"}}, {"0": "a"}, {"b": [1]})
VALUES = (*SCALARS, *LISTS, *OBJECTS)
DOCUMENTS: list[Metadata] = [
    {},
    *({"a": value} for value in VALUES),
    *({"a": {"b": value}, "b": 1} for value in VALUES),
    *({"b": value, "a.b": 1, "": 2} for value in VALUES),
    *({key: 1} for key in KEYS),
]
COLLECTIONS: list[Metadata] = [{}, {"a": 1}, {"a": "2024-01-01", "b": ["a"]}]

scalars = st.sampled_from(SCALARS)
paths: st.SearchStrategy[Path] = st.sampled_from(
    [("a",), ("b",), ("a", "b"), ("a", "b", "a"), ("a", "0"), *((key,) for key in KEYS)]
)
keys = st.sampled_from(KEYS)
ons: st.SearchStrategy[On] = st.sampled_from(["document", "document", "collection"])
orders: st.SearchStrategy[Order] = st.sampled_from(["gt", "gte", "lt", "lte"])
ordered_values = st.sampled_from(
    [value for value in SCALARS if isinstance(value, str | int | float) and not isinstance(value, bool)]
)
zones = st.none() | st.just(UTC) | st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
days = st.dates(date(1, 1, 2), date(9999, 12, 30)) | st.dates(date(2023, 12, 30), date(2024, 1, 3))
times = st.builds(
    lambda time, zone: time.replace(tzinfo=zone),
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))
    | st.datetimes(datetime(2023, 12, 31), datetime(2024, 1, 2)),
    zones,
)
moments = days.map(lambda day: Day(day.isoformat())) | times.map(lambda time: Instant(time.isoformat()))
leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(OneOf, ons, paths, st.lists(scalars, max_size=4).map(tuple)),
    st.builds(Ordered, ons, paths, orders, ordered_values),
    st.builds(Dated, ons, paths, orders | st.just("eq"), moments),
    st.builds(Contains, ons, paths, scalars),
    st.builds(
        Affix, ons, paths, st.sampled_from([value for value in SCALARS if isinstance(value, str)]), st.booleans()
    ),
    st.builds(Exists, ons, paths),
    st.builds(HasKeys, ons, st.lists(keys, max_size=3).map(tuple), st.booleans()),
    st.builds(Within, ons, keys, scalars),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@pytest.fixture
def stored(alice: Someone) -> Iterator[None]:
    """Store a document with each metadata of DOCUMENTS in a collection with each of COLLECTIONS."""
    with acting_for(alice.id):
        for number, metadata in enumerate(COLLECTIONS):
            collection = Collection.objects.create(owner=alice.user, name=str(number), metadata=metadata)
            Document.objects.bulk_create(
                Document(owner=alice.user, collection=collection, name=str(index), metadata=document)
                for index, document in enumerate(DOCUMENTS)
            )
        yield


def matched(condition: Condition) -> set[tuple[int, int]]:
    """Return (collection index, document index) of every document that matches."""
    rows = Document.objects.filter(metadata_matches(condition, document="metadata", collection="collection__metadata"))
    return {(int(collection), int(document)) for collection, document in rows.values_list("collection__name", "name")}


def expected(condition: Condition) -> set[tuple[int, int]]:
    return {
        (collection_index, document_index)
        for collection_index, collection in enumerate(COLLECTIONS)
        for document_index, document in enumerate(DOCUMENTS)
        if matches(condition, document, collection)
    }


def matched_metadata(raw: Metadata) -> list[Metadata]:
    """Return the distinct metadata of the documents that a JSON filter matches."""
    return [DOCUMENTS[index] for index in sorted({index for _, index in matched(parse(raw).condition)})]


@pytest.mark.usefixtures("stored")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(conditions)
@example(Or((OneOf("document", ("a",), (1,)), OneOf("document", ("a",), (True,)))))
@example(And((OneOf("document", ("a",), (1, True)), Not(OneOf("document", ("a",), (True,))))))
@example(Dated("document", ("a",), "gte", Day("0001-01-01")))
@example(Not(Dated("document", ("a", "b"), "lte", Instant("9999-12-31T23:59:59Z"))))
@example(Ordered("document", ("a",), "gt", 10**20))
def test_sql_agrees_with_the_reference(condition: Condition) -> None:
    assert matched(condition) == expected(condition)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("raw", "metadata"),
    [
        ({"key": "a", "value": 2024}, [{"a": 2024}]),
        ({"key": "a", "value": "2024"}, [{"a": "2024"}]),
        ({"key": "a", "value": True}, [{"a": True}]),
        ({"key": "a", "value": 1}, [{"a": 1}, {"a": 1.0}, {"a": 1}]),
        ({"key": "a", "value": "abc", "lookup": "contains"}, [{"a": "abc"}]),
        ({"key": "a", "value": "abc", "lookup": "contained_by"}, [{}, {"a": "abc"}]),
        ({"key": "a__gt", "lookup": "has_key"}, [{"a__gt": 1}]),
        ({"key": "a.b", "value": 1, "lookup": "contained_by"}, [{}, {"a.b": 1}]),
        ({"key": ["a", "b"], "op": "eq", "value": "abc"}, [{"a": {"b": "abc"}, "b": 1}]),
        ({"key": ["a", "b", "a"], "op": "exists"}, [{"a": {"b": {"a": "abc"}}}, {"a": {"b": {"a": 1}}, "b": 1}]),
        ({"key": "a", "op": "contains", "value": "bc"}, [{"a": "abc"}]),
        ({"key": "a", "op": "contains", "value": "a"}, [{"a": "a"}, {"a": "abc"}, {"a": ["a", "abc"]}]),
        ({"key": "a", "op": "starts_with", "value": "ab"}, [{"a": "abc"}]),
        ({"key": "a", "op": "ends_with", "value": "bc"}, [{"a": "abc"}]),
        ({"key": "a", "op": "in", "value": []}, []),
        ({"key": [], "lookup": "has_any_keys"}, []),
    ],
)
def test_filters_match_as_documented(raw: Metadata, metadata: list[Metadata]) -> None:
    assert matched_metadata(raw) == metadata


@pytest.mark.usefixtures("stored")
def test_all_of_no_keys_matches_everything() -> None:
    assert matched_metadata({"key": [], "lookup": "has_keys"}) == DOCUMENTS


@pytest.mark.usefixtures("stored")
def test_not_equal_includes_missing_keys() -> None:
    assert {} in matched_metadata({"key": "a", "op": "ne", "value": 1})
    present = {"and": [{"key": "a", "op": "ne", "value": 1}, {"key": "a", "op": "exists"}]}
    assert all("a" in metadata for metadata in matched_metadata(present))


@pytest.mark.usefixtures("stored")
def test_day_includes_all_its_hours_in_any_time_zone() -> None:
    within = {metadata["a"] for metadata in matched_metadata({"key": "a", "op": "eq", "value": {"date": "2024-01-01"}})}
    assert within == {
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-01-01T10:00",
        "2024-01-01 23:59:59.999999+02:00",
        "2023-12-31T23:00:00-0500",
    }


def test_time_zone_of_the_connection_does_not_matter(alice: Someone) -> None:
    with acting_for(alice.id):
        collection = Collection.objects.create(owner=alice.user, name="c")
        Document.objects.create(owner=alice.user, collection=collection, name="0", metadata={"a": "2024-01-01"})
        condition = parse({"key": "a", "op": "lt", "value": {"datetime": "2024-01-01T00:30:00Z"}}).condition
        where = metadata_matches(condition, document="metadata", collection="collection__metadata")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'America/New_York'")
        assert Document.objects.filter(where).count() == 1


def test_keys_and_values_are_passed_as_parameters_only() -> None:
    hostile = "') OR 1=1; -- %s"
    leaves: list[Condition] = [
        OneOf("document", (hostile, hostile), (hostile, 1)),
        Ordered("document", (hostile,), "gt", hostile),
        Dated("document", (hostile,), "eq", Day("2024-01-01")),
        Contains("document", (hostile,), hostile),
        Affix("document", (hostile,), hostile, at_end=False),
        Affix("document", (hostile,), hostile, at_end=True),
        Exists("document", (hostile,)),
        HasKeys("document", (hostile,), every=True),
        Within("document", hostile, hostile),
    ]
    where = metadata_matches(Or(tuple(leaves)), document="metadata", collection="collection__metadata")
    sql, params = Document.objects.filter(where).query.sql_with_params()
    assert "1=1" not in sql
    assert "2024" not in sql
    assert sql.count("%s") == len(params)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        {"key": "a", "value": "zz"},
        {"key": ["a", "b"], "op": "eq", "value": "zz"},
        {"key": "a", "op": "in", "value": ["zz", "yy"]},
        {"key": "zz", "lookup": "has_key"},
        {"key": ["zz", "yy"], "lookup": "has_any_keys"},
        {"key": "a", "op": "contains", "value": 77},
        {"or": [{"key": "zz", "op": "exists"}, {"key": "a", "value": "zz"}]},
    ],
)
def test_index_can_be_used(raw: Metadata) -> None:
    table = connection.ops.quote_name(Document._meta.db_table)
    with connection.cursor() as cursor:
        # A temporary copy under row-level security, without any other index that the planner might prefer. It is empty,
        # so no index pays off, and sequential scans are disabled to see whether the index can be used at all.
        cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE {table}) ON COMMIT DROP")
        cursor.execute(f"CREATE INDEX copied_metadata ON {table} USING gin (metadata)")
        cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        cursor.execute(f"CREATE POLICY mine ON {table} USING (owner_id = (SELECT 1))")
        cursor.execute("SET LOCAL enable_seqscan = off")
    where = metadata_matches(parse(raw).condition, document="metadata", collection="collection__metadata")
    plan = Document.objects.filter(where).order_by().values("id").explain()
    assert "copied_metadata" in plan, plan


def test_collection_metadata_is_filtered_without_joining_documents() -> None:
    condition = parse({"on": "collection", "key": "a", "value": 1}).condition
    where = metadata_matches(condition, document="documents__metadata", collection="metadata")
    sql = str(Collection.objects.filter(where).query)
    assert "JOIN" not in sql
