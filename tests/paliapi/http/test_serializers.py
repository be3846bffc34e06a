"""Base classes of request bodies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from paliapi.http.serializers import SparseSerializer, StrictSerializer, UnknownField, VisibleTextField


class Strict(StrictSerializer[Any]):
    name = serializers.CharField(required=False)
    id = serializers.IntegerField(read_only=True)


def test_known_fields_are_accepted() -> None:
    body = Strict(data={"name": "x"})
    assert body.is_valid()
    assert body.validated_data == {"name": "x"}


@pytest.mark.parametrize("name", ["nam", "id", "", "__class__", "a/b"])
def test_unknown_and_read_only_fields_are_refused(name: str) -> None:
    with pytest.raises(UnknownField) as refused:
        Strict(data={name: 1}).is_valid()
    assert len(refused.value.problems) == 1


def test_number_of_reported_unknown_fields_is_limited() -> None:
    with pytest.raises(UnknownField) as refused:
        Strict(data={"x" * 500 + str(number): 1 for number in range(500)}).is_valid()
    assert len(refused.value.problems) == 20
    assert len(refused.value.detail) < 200


def test_body_that_is_no_object_is_refused() -> None:
    assert not Strict(data=[1]).is_valid()


def test_text_with_invisible_characters_is_refused() -> None:
    field = VisibleTextField()
    assert field.run_validation("a\u200d\nb") == "a\u200d\nb"
    with pytest.raises(serializers.ValidationError) as refused:
        field.run_validation("a\u202eb")
    assert refused.value.get_codes() == ["invisible_characters"]


class Sparse(SparseSerializer[Any]):
    wanted = serializers.IntegerField()
    optional = serializers.IntegerField(required=False)
    preset = serializers.IntegerField(default=7)
    other = serializers.IntegerField(required=False)

    def validate_other(self, value: int) -> int:
        return -value


@given(
    st.dictionaries(st.sampled_from(["wanted", "optional", "preset", "other", "unknown"]), st.integers() | st.text())
)
def test_skipping_missing_fields_changes_no_result(body: dict[str, Any]) -> None:
    plain = type(
        "Plain", (serializers.Serializer,), dict(Sparse._declared_fields, validate_other=Sparse.validate_other)
    )
    sparse, expected = Sparse(data=body), plain(data=body)
    assert sparse.is_valid() == expected.is_valid()
    assert (sparse.validated_data, sparse.errors) == (expected.validated_data, expected.errors)
    assert set(sparse.fields) == set(expected.fields)
