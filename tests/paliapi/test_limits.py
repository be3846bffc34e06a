"""Limits that several packages share."""

import pytest

from accounts.serializers import KeyIn
from collections_app.models import Collection, Document
from paliapi.limits import MAX_NAME_LENGTH


@pytest.mark.parametrize("model", [Collection, Document])
def test_longest_name_fits_its_column(model: type[Collection | Document]) -> None:
    assert model._meta.get_field("name").max_length == MAX_NAME_LENGTH


@pytest.mark.parametrize(("length", "is_valid"), [(MAX_NAME_LENGTH, True), (MAX_NAME_LENGTH + 1, False)])
def test_key_can_be_restricted_to_collections_with_the_longest_name(length: int, is_valid: bool) -> None:
    assert KeyIn(data={"scopes": ["read"], "collections": ["x" * length]}).is_valid() is is_valid
