"""JSON responses."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer as FrameworkRenderer
from rest_framework.serializers import Serializer
from rest_framework.utils.serializer_helpers import ReturnDict

from paliapi.http.renderers import JSONRenderer


@pytest.mark.parametrize(
    "data",
    [
        {"text": 'Ünïcode, "quotes", \x00 and \u2028', "list": [1, 1.5, 1e-9, None, True], "empty": {}},
        {"big": 10**30},
        {1: "a key that is a number"},
        ReturnDict({"id": 1}, serializer=Serializer()),
        {"at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "amount": Decimal("1.50")},
        [],
    ],
)
def test_responses_mean_the_same_as_by_the_framework(data: Any) -> None:
    rendered = JSONRenderer().render(data)
    assert json.loads(rendered) == json.loads(FrameworkRenderer().render(data))


def test_response_without_data_is_empty() -> None:
    assert JSONRenderer().render(None) == b""


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        JSONRenderer().render({"text": "\ud800"})
