"""Validation of request bodies: fields for names and metadata, and serializers that are created once."""

from threading import local
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from collections_app.engine.input import metadata, names
from paliapi.http.serializers import TextField
from paliapi.units import MAX_NAME_LENGTH

_OBJECT_SCHEMA = {"type": "object", "additionalProperties": {}}


class NameField(TextField):
    """The name of a document."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_NAME_LENGTH, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        name = super().run_validation(data)
        return self.check(name, at=f"/{self.field_name}") if isinstance(name, str) and name else name

    def check(self, name: str, *, at: str) -> str:
        return names.check_document_name(name, at=at)


class CollectionNameField(NameField):
    """The name of a collection."""

    def check(self, name: str, *, at: str) -> str:
        return names.check_collection_name(name, at=at)


@extend_schema_field(_OBJECT_SCHEMA)
class MetadataField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object with content of the client's choice."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        limit = settings.ENV.max_metadata_kb * 1024
        return metadata.check(data, max_bytes=limit, at=f"/{self.field_name}")

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


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
