"""Request bodies that create or change a document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers
from rest_framework.utils import html

from collections_app import catalogue
from collections_app.api.validation import CollectionNameField, MetadataField, NameField
from collections_app.models import Document, OnPageError
from paliapi.http.parsers import check_value_count
from paliapi.http.serializers import BoundedListField, TextField
from paliapi.http.uploads import ReceivedFile
from paliapi.units import MAX_FILES_PER_FORM, MAX_NAME_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """Where the file of a document comes from: at most one of three fields is set."""

    file: ReceivedFile | None = None
    base64: str = ""
    url: str = ""
    use_proxy: bool = False
    on_page_error: str = OnPageError.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertRequest(FileSource):
    """The validated body of an upsert."""

    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    collection_name: str = catalogue.DEFAULT_COLLECTION
    wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertManyRequest:
    """The validated body of an upsert of many documents."""

    files: list[ReceivedFile] = field(default_factory=list)
    archive: ReceivedFile | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    collection_name: str = catalogue.DEFAULT_COLLECTION
    on_page_error: str = OnPageError.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest(FileSource):
    """The validated body of an update; None leaves a field unchanged."""

    name: str | None = None
    metadata: dict[str, Any] | None = None
    collection_name: str | None = None
    move_to: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.metadata or self.move_to or self.url or self.base64 or self.file)


class _FormText(str):
    """The text of a form field."""


class FormMetadataField(MetadataField):
    """A JSON object; in a form, its JSON text."""

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        value = super().get_value(dictionary)
        return _FormText(value) if isinstance(value, str) and html.is_html_input(dictionary) else value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, _FormText):
            check_value_count(data.encode(errors="replace"))
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                raise serializers.ValidationError("Must be a JSON object.", code="not_an_object") from None
        return super().to_internal_value(data)


class SourceIn(serializers.Serializer[Document]):
    """Where the file comes from: one of three fields."""

    file = serializers.FileField(
        required=False, allow_null=True, allow_empty_file=True, help_text="The file itself; only in a form."
    )
    base64 = TextField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The file in standard base64, without a `data:` prefix.",
    )
    url = TextField(
        required=False, allow_null=True, allow_blank=True, help_text="A URL from which a worker downloads the file."
    )
    use_proxy = serializers.BooleanField(
        required=False, allow_null=True, help_text="Download the URL through the configured proxy."
    )
    on_page_error = serializers.ChoiceField(
        choices=OnPageError.choices,
        required=False,
        allow_null=True,
        help_text="If a page cannot be rendered or embedded: `fail` (the default) the document, or `skip` the page.",
    )


class DocumentIn(SourceIn):
    name = NameField(help_text="1 to 255 characters. An existing document of this name is replaced.")
    metadata = FormMetadataField(
        required=False, allow_null=True, help_text="Replaces existing metadata; default: `{}`."
    )
    collection_name = CollectionNameField(
        required=False, allow_null=True, help_text="Created if it does not exist. Default: `default_collection`."
    )
    wait = serializers.BooleanField(
        required=False, allow_null=True, help_text="Wait until the document is ready, up to a time limit."
    )


class DocumentsIn(serializers.Serializer[Document]):
    files = BoundedListField(
        max_length=MAX_FILES_PER_FORM,
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text=f"The files, up to {MAX_FILES_PER_FORM}. The name of each becomes that of its document.",
    )
    archive = serializers.FileField(
        required=False,
        allow_null=True,
        help_text="A ZIP archive with files. The path of each in the archive becomes the name of its document.",
    )
    metadata = FormMetadataField(required=False, allow_null=True, help_text="Of every document; default: `{}`.")
    collection_name = CollectionNameField(
        required=False, allow_null=True, help_text="Created if it does not exist. Default: `default_collection`."
    )
    on_page_error = serializers.ChoiceField(
        choices=OnPageError.choices, required=False, allow_null=True, help_text="As for a single document."
    )


class DocumentChange(SourceIn):
    name = NameField(required=False, allow_null=True, help_text="The new name.")
    metadata = FormMetadataField(required=False, allow_null=True, help_text="Replaces all metadata.")
    collection_name = TextField(
        required=False,
        allow_null=True,
        max_length=MAX_NAME_LENGTH,
        help_text="The collection to look in, or `all`. Default: `default_collection`, else the only collection that "
        "has a document of this name.",
    )
    move_to = CollectionNameField(
        required=False, allow_null=True, help_text="The existing collection to move the document to."
    )
