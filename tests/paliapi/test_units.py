"""Units, limits and formats that all packages share."""

from datetime import UTC, datetime

import pytest
from rest_framework.fields import DateTimeField

from accounts.serializers import KeyIn
from collections_app.models import Collection, Document
from paliapi.units import MAX_NAME_LENGTH, rfc3339


@pytest.mark.parametrize("model", [Collection, Document])
def test_longest_name_fits_its_column(model: type[Collection | Document]) -> None:
    assert model._meta.get_field("name").max_length == MAX_NAME_LENGTH


@pytest.mark.parametrize(("length", "is_valid"), [(MAX_NAME_LENGTH, True), (MAX_NAME_LENGTH + 1, False)])
def test_key_can_be_restricted_to_collections_with_the_longest_name(length: int, is_valid: bool) -> None:
    assert KeyIn(data={"scopes": ["read"], "collections": ["x" * length]}).is_valid() is is_valid


def test_utc_times_end_in_z_as_in_serializers() -> None:
    moment = datetime(2026, 11, 21, 9, 30, 12, 345, tzinfo=UTC)
    assert rfc3339(moment) == "2026-11-21T09:30:12.000345Z"
    assert rfc3339(moment) == DateTimeField().to_representation(moment)
