import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input.errors import MetadataInvalid, MetadataTooLarge
from collections_app.engine.input.metadata import MAX_DEPTH, check
from paliapi.errors import MAX_PROBLEMS

NO_LIMIT = 1_000_000

scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
trees = st.recursive(scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15)


def object_of_depth(levels: int) -> dict[str, Any]:
    """Return an object with this many levels, including itself."""
    nested: dict[str, Any] = {}
    for _ in range(levels - 1):
        nested = {"a": nested}
    return nested


def problems_of(metadata: object) -> list[tuple[str, str]]:
    with pytest.raises(MetadataInvalid) as caught:
        check(metadata, max_bytes=NO_LIMIT)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


@given(st.dictionaries(texts, trees))
def test_plain_json_is_returned_unchanged(metadata: dict[str, Any]) -> None:
    assert check(metadata, max_bytes=NO_LIMIT) is metadata


@pytest.mark.parametrize("metadata", [[], "text", 1, None, True, [{}]])
def test_metadata_must_be_an_object(metadata: object) -> None:
    assert problems_of(metadata) == [("/metadata", "not_an_object")]


def test_nesting_is_limited() -> None:
    assert check(object_of_depth(MAX_DEPTH), max_bytes=NO_LIMIT) == object_of_depth(MAX_DEPTH)
    assert problems_of(object_of_depth(MAX_DEPTH + 1)) == [("/metadata" + "/a" * MAX_DEPTH, "too_deep")]


@pytest.mark.parametrize("opening", ["{", "["])
def test_a_hundred_thousand_levels_are_rejected_without_recursion(opening: str) -> None:
    inner: Any = None
    for _ in range(100_000):
        inner = {"a": inner} if opening == "{" else [inner]
    [(_, code)] = problems_of({"a": inner})
    assert code == "too_deep"


def test_the_size_limit_counts_utf8_bytes_exactly() -> None:
    metadata = {"é": "日本"}
    size = len('{"é":"日本"}'.encode())
    assert check(metadata, max_bytes=size) == metadata
    with pytest.raises(MetadataTooLarge) as caught:
        check(metadata, max_bytes=size - 1)
    assert caught.value.problems[0].pointer == "/metadata"


@given(st.dictionaries(texts, trees))
def test_metadata_of_exactly_the_maximum_size_is_accepted(metadata: dict[str, Any]) -> None:
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    assert check(metadata, max_bytes=size) is metadata
    with pytest.raises(MetadataTooLarge):
        check(metadata, max_bytes=size - 1)


class _Unread(list[Any]):
    """A list whose items must not be read."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("an item was read")


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": _Unread([0] * 100)},
        {"a": "x" * 100, "b": _Unread([0])},
        {"a": [[]] * 40, "b": _Unread([0])},
        {str(number): "\x00" for number in range(100)},
    ],
)
def test_metadata_is_not_read_beyond_the_maximum_size(metadata: dict[str, Any]) -> None:
    with pytest.raises(MetadataTooLarge):
        check(metadata, max_bytes=80)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff text"])
def test_text_that_postgres_cannot_store_is_rejected_with_a_pointer(text: str) -> None:
    assert problems_of({"a": [{"b/c~d": text}]}) == [("/metadata/a/0/b~1c~0d", "not_storable")]


@pytest.mark.parametrize("key", ["a\x00b", "\ud800", "k" * 256])
def test_an_invalid_key_is_reported_at_its_object_in_ascii(key: str) -> None:
    with pytest.raises(MetadataInvalid) as caught:
        check({"a": {key: {"not": "checked"}}}, max_bytes=NO_LIMIT)
    [problem] = caught.value.problems
    assert (problem.pointer, problem.code) == ("/metadata/a", "bad_key")
    assert problem.detail.isascii()
    assert len(problem.detail) < 200


def test_a_key_may_have_0_to_255_characters() -> None:
    metadata = {"": 1, "k" * 255: 2, "a__gt": 3}
    assert check(metadata, max_bytes=NO_LIMIT) == metadata


@pytest.mark.parametrize("raw", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400, "-1" + "0" * 4000])
def test_numbers_out_of_range_are_rejected(raw: str) -> None:
    assert problems_of(json.loads('{"n": [' + raw + "]}")) == [("/metadata/n/0", "not_storable")]


def test_a_huge_integer_is_rejected_without_being_printed() -> None:
    assert problems_of({"n": 1 << 100_000}) == [("/metadata/n", "not_storable")]


@pytest.mark.parametrize("raw", ["1e308", "-1.7976931348623157e308", "5e-324", "9007199254740993", "-0.0"])
def test_any_finite_float_is_accepted(raw: str) -> None:
    assert check(json.loads('{"n": ' + raw + "}"), max_bytes=NO_LIMIT)


def test_a_large_float_written_as_an_integer_is_accepted() -> None:
    assert check({"n": int(1.7976931348623157e308)}, max_bytes=NO_LIMIT)


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, (1, 2), 1j])
def test_values_that_are_not_json_are_rejected(value: object) -> None:
    assert problems_of({"a": value}) == [("/metadata/a", "not_json")]
    assert problems_of({1: "a"}) == [("/metadata", "not_json")]


def test_problems_are_ordered_and_limited() -> None:
    problems = problems_of({"list": ["\x00"] * 1000})
    assert problems == [(f"/metadata/list/{number}", "not_storable") for number in range(MAX_PROBLEMS)]


def test_pointers_start_at_the_location_of_the_metadata() -> None:
    with pytest.raises(MetadataInvalid) as caught:
        check({"a": "\x00"}, max_bytes=NO_LIMIT, at="/items/3/metadata")
    assert caught.value.problems[0].pointer == "/items/3/metadata/a"
