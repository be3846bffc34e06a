import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input.jsonb import (
    MAX_INTEGER,
    MAX_KEY_LENGTH,
    Scalar,
    key_problem,
    number_problem,
    pointer,
    quote,
    scalar_problem,
    text_problem,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b", "c~d", "~1", ""), "/a~1b/c~0d/~01/")],
)
def test_pointers_escape_slashes_and_tildes(path: tuple[str | int, ...], expected: str) -> None:
    assert pointer(path) == expected
    assert pointer(path, at="/metadata") == "/metadata" + expected


@given(st.text())
def test_quoted_text_is_short_printable_ascii(text: str) -> None:
    quoted = quote(text)
    assert quoted.isascii()
    assert quoted.isprintable()
    assert json.loads(quoted).removesuffix("...") == text[:40].removesuffix("...")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("plain \t\n\x01 \ufffe", None),
        ("a\x00", "contains a NUL character"),
        ("\ud83d", "contains an unpaired surrogate"),
    ],
)
def test_only_nul_and_unpaired_surrogates_cannot_be_stored(text: str, problem: str | None) -> None:
    assert text_problem(text) == key_problem(text) == scalar_problem(text) == problem


def test_keys_are_limited_in_length() -> None:
    assert key_problem("k" * MAX_KEY_LENGTH) is None
    assert key_problem("k" * (MAX_KEY_LENGTH + 1)) == "has more than 255 characters"


@pytest.mark.parametrize("number", [0, -1, 1.5, int(1.7976931348623157e308), 1 - MAX_INTEGER])
def test_finite_numbers_can_be_stored(number: int | float) -> None:
    assert number_problem(number) is scalar_problem(number) is None


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), MAX_INTEGER, -MAX_INTEGER])
def test_other_numbers_cannot_be_stored(number: int | float) -> None:
    assert number_problem(number)
    assert scalar_problem(number)


@pytest.mark.parametrize("value", [None, True, False])
def test_constants_can_be_stored(value: Scalar) -> None:
    assert scalar_problem(value) is None
