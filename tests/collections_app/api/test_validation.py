"""Validation of bodies by serializers that are created once per thread."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from collections_app.api import validation
from collections_app.api.search import SearchIn
from collections_app.api.validation import validated


def _request(**data: Any) -> Request:
    return cast(Request, SimpleNamespace(data=data))


def test_serializer_keeps_nothing_of_the_previous_body() -> None:
    full = validated(SearchIn, _request(query="lighthouse", collection_name="reports", top_k=7, include=["text"]))
    assert (full["top_k"], full["include"]) == (7, ["text"])
    for _ in range(2):
        with pytest.raises(ValidationError) as refused:
            validated(SearchIn, _request(query=7, top_k="many"))
        assert set(cast(dict[str, Any], refused.value.detail)) == {"query", "top_k"}
    assert set(validated(SearchIn, _request(query="lighthouse", top_k=None))) == {"query", "query_input"}


def test_each_thread_has_its_own_serializer() -> None:
    serializer = validation._cache.get(SearchIn)
    assert validation._cache.get(SearchIn) is serializer
    with ThreadPoolExecutor(1) as other_thread:
        assert other_thread.submit(validation._cache.get, SearchIn).result() is not serializer
