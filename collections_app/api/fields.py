"""Fields that check more than a type: names, metadata, base64."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.engine.input import metadata, names
from paliapi.http.serializers import TextField
from paliapi.limits import MAX_NAME_LENGTH

_OBJECT = {"type": "object", "additionalProperties": {}}


class NameField(TextField):
    """The name of a document."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_NAME_LENGTH, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        found = super().run_validation(data)
        return self.checked(found, at=f"/{self.field_name}") if isinstance(found, str) and found else found

    def checked(self, name: str, *, at: str) -> str:
        return names.check_document_name(name, at=at)


class CollectionNameField(NameField):
    """The name of a collection."""

    def checked(self, name: str, *, at: str) -> str:
        return names.check_collection_name(name, at=at)


@extend_schema_field(_OBJECT)
class MetadataField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object that is yours to fill."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        limit = settings.ENV.max_metadata_kb * 1024
        return metadata.check(data, max_bytes=limit, at=f"/{self.field_name}")

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value
