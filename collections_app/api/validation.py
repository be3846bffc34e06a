"""Validation of request bodies by serializers."""

from threading import local
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer


class _SerializerCache(local):
    """One serializer of each class for each thread: creating its fields takes longer than validating a body."""

    def __init__(self) -> None:
        self._serializers: dict[type[Serializer[Any]], Serializer[Any]] = {}

    def get(self, serializer_class: type[Serializer[Any]]) -> Serializer[Any]:
        if serializer_class not in self._serializers:
            self._serializers[serializer_class] = serializer_class()
        return self._serializers[serializer_class]


_cache = _SerializerCache()


def validated(serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Validate the body and return its fields, without those that are null: null means omitted."""
    # The serializer is never given the data itself, so nothing of one request stays in it for the next.
    fields = _cache.get(serializer_class).run_validation(request.data)
    return {name: value for name, value in fields.items() if value is not None}
