"""Serializer fields for names and metadata."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.engine.input import metadata, names
from paliapi.http.serializers import TextField
from paliapi.limits import MAX_NAME_LENGTH

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
