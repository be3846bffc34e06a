"""Queries in request bodies: text, an image, a page, a part of a page, or several of these."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers

from collections_app import catalogue
from collections_app.api.errors import QueryAmbiguous, QueryOnlyAvoids
from collections_app.search import CompositeQuery, ImageQuery, PageQuery, QueryInput, QueryPart, TextQuery
from paliapi.errors import Problem
from paliapi.http.serializers import BoundedListField, NumberField, StrictSerializer, TextField
from paliapi.units import MAX_NAME_LENGTH

MAX_TEXT_LENGTH = 10_000
MAX_PARTS = 8
MAX_WEIGHT = 10
_PART_KINDS = ("text", "image", "page", "crop")


class PageIn(StrictSerializer[Any]):
    document_name = TextField(max_length=MAX_NAME_LENGTH, help_text="Name of the document.")
    collection_name = TextField(
        required=False,
        allow_null=True,
        max_length=MAX_NAME_LENGTH,
        help_text="The collection of the document, or `all`; default: `default_collection`.",
    )
    page_number = serializers.IntegerField(min_value=1, help_text="Starts at 1.")


class CropIn(PageIn):
    box = BoundedListField(
        child=NumberField(min_value=0, max_value=1),
        min_length=4,
        max_length=4,
        help_text="Left, top, right, bottom, as fractions of the page from its top left corner.",
    )

    def validate_box(self, box: list[float]) -> list[float]:
        left, top, right, bottom = box
        if not (left < right and top < bottom):
            raise serializers.ValidationError("Left must be less than right, and top less than bottom.", code="box")
        return box


class PartIn(StrictSerializer[Any]):
    text = TextField(required=False, allow_null=True, max_length=MAX_TEXT_LENGTH, help_text="A text query.")
    image = TextField(required=False, allow_null=True, help_text="An image in base64, without a `data:` prefix.")
    page = PageIn(required=False, allow_null=True, help_text="One of your pages.")
    crop = CropIn(required=False, allow_null=True, help_text="A part of one of your pages.")
    weight = NumberField(
        required=False,
        allow_null=True,
        min_value=-MAX_WEIGHT,
        max_value=MAX_WEIGHT,
        help_text="Weight of the part; default 1; negative: avoid pages like it.",
    )

    def validate(self, attrs: Any) -> Any:
        if sum(attrs.get(kind) is not None for kind in _PART_KINDS) != 1:
            raise serializers.ValidationError(
                "Send exactly one of `text`, `image`, `page` and `crop`.", code="ambiguous"
            )
        return attrs

    def validate_text(self, value: str | None) -> str | None:
        return not_blank(value)

    def validate_weight(self, value: float | None) -> float | None:
        if value == 0:
            raise serializers.ValidationError("The weight must not be 0; omit the part instead.", code="zero")
        return value


def not_blank(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise serializers.ValidationError("This field may not be blank.", code="blank")
    return value


class QueryField(serializers.Field[Any, Any, Any, Any]):
    """Text, or a list of parts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._text = TextField(max_length=MAX_TEXT_LENGTH)
        self._parts = BoundedListField(child=PartIn(), min_length=1, max_length=MAX_PARTS)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list):
            return self._parts.run_validation(data)
        return not_blank(self._text.run_validation(data))


class QueryFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The schema of `QueryField` in the OpenAPI document; registered by being imported."""

    target_class = QueryField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        part = auto_schema.resolve_serializer(PartIn, direction).ref
        return {
            "oneOf": [
                {"type": "string", "nullable": True, "minLength": 1, "maxLength": MAX_TEXT_LENGTH},
                {"type": "array", "items": part, "minItems": 1, "maxItems": MAX_PARTS},
            ]
        }


def query_of(data: Mapping[str, Any]) -> QueryInput:
    """Return the query of a validated request."""
    fields = [name for name in ("query", "page", "crop") if data.get(name) is not None]
    if not fields:
        raise serializers.ValidationError({"query": "This field is required."}, code="required")
    if len(fields) > 1:
        raise QueryAmbiguous(
            problems=(Problem(f"/{fields[1]}", QueryAmbiguous.code, "Send only one of these fields."),)
        )
    query = data.get("query")
    if isinstance(query, list):
        return _composite(query)
    return TextQuery(query, at="/query") if query is not None else _page_query(data[fields[0]])


def _composite(parts: list[dict[str, Any]]) -> CompositeQuery:
    queries = tuple(
        QueryPart(_part(part, at=f"/query/{index}"), 1.0 if part.get("weight") is None else part["weight"])
        for index, part in enumerate(parts)
    )
    if all(part.weight < 0 for part in queries):
        raise QueryOnlyAvoids(problems=(Problem("/query", QueryOnlyAvoids.code, QueryOnlyAvoids.title),))
    return CompositeQuery(queries)


def _part(part: Mapping[str, Any], *, at: str) -> TextQuery | ImageQuery | PageQuery:
    if part.get("text") is not None:
        return TextQuery(part["text"], at=f"{at}/text")
    if part.get("image") is not None:
        return ImageQuery(part["image"], at=f"{at}/image")
    return _page_query(part.get("page") or part["crop"])


def _page_query(page: Mapping[str, Any]) -> PageQuery:
    return PageQuery(
        document_name=page["document_name"],
        collection_name=page.get("collection_name") or catalogue.DEFAULT_COLLECTION,
        page_number=page["page_number"],
        box=tuple(page["box"]) if "box" in page else None,
    )
