"""What may be asked with: words, an image, a page, a part of a page, or several of these together."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers

from collections_app import catalogue
from collections_app.api.errors import QueryAmbiguous, QueryOnlyAvoids
from collections_app.search.query import Asked, LikePage, Part, Picture, Together, Words
from paliapi.errors import Problem
from paliapi.http.serializers import NumberField, StrictSerializer, TextField

LONGEST_QUERY = 10_000
MOST_PARTS = 8
MOST_WEIGHT = 10
_WAYS = ("text", "image", "page", "crop")


class PageIn(StrictSerializer[Any]):
    document_name = TextField(help_text="Of the document.")
    collection_name = TextField(
        required=False,
        allow_null=True,
        help_text="Where the document is; left out: in the default one, `all`: in whichever.",
    )
    page_number = serializers.IntegerField(min_value=1, help_text="From 1.")


class CropIn(PageIn):
    box = serializers.ListField(
        child=NumberField(min_value=0, max_value=1),
        min_length=4,
        max_length=4,
        help_text="Left, top, right, bottom, from 0 at the left and the top of the page to 1.",
    )

    def validate_box(self, box: list[float]) -> list[float]:
        left, top, right, bottom = box
        if not (left < right and top < bottom):
            raise serializers.ValidationError("Left must be less than right, and top less than bottom.", code="box")
        return box


class PartIn(StrictSerializer[Any]):
    text = TextField(required=False, allow_null=True, max_length=LONGEST_QUERY, help_text="A question in words.")
    image = TextField(required=False, allow_null=True, help_text="An image in base64, without a `data:` prefix.")
    page = PageIn(required=False, allow_null=True, help_text="A page of yours.")
    crop = CropIn(required=False, allow_null=True, help_text="A part of a page of yours.")
    weight = NumberField(
        required=False,
        allow_null=True,
        min_value=-MOST_WEIGHT,
        max_value=MOST_WEIGHT,
        help_text="How much it counts; default 1, below zero: to be avoided.",
    )

    def validate(self, attrs: Any) -> Any:
        if len([way for way in _WAYS if attrs.get(way) is not None]) != 1:
            raise serializers.ValidationError("Say one of `text`, `image`, `page` and `crop`.", code="ambiguous")
        return attrs

    def validate_text(self, value: str | None) -> str | None:
        return not_blank(value)

    def validate_weight(self, value: float | None) -> float | None:
        if value == 0:
            raise serializers.ValidationError("A part that counts for nothing can be left out.", code="zero")
        return value


def not_blank(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise serializers.ValidationError("This field may not be blank.", code="blank")
    return value


class QueryField(serializers.Field[Any, Any, Any, Any]):
    """A question in words, or a list of parts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = TextField(max_length=LONGEST_QUERY)
        self._parts = serializers.ListField(child=PartIn(), min_length=1, max_length=MOST_PARTS)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list):
            return self._parts.run_validation(data)
        return not_blank(self._words.run_validation(data))


class QueryFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document tells of it; importing this is enough."""

    target_class = QueryField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        part = auto_schema.resolve_serializer(PartIn, direction).ref
        return {
            "oneOf": [
                {"type": "string", "nullable": True, "minLength": 1, "maxLength": LONGEST_QUERY},
                {"type": "array", "items": part, "minItems": 1, "maxItems": MOST_PARTS},
            ]
        }


def asked_of(data: Mapping[str, Any]) -> Asked:
    """The one thing that is asked with."""
    given = [way for way in ("query", "page", "crop") if data.get(way) is not None]
    if not given:
        raise serializers.ValidationError({"query": "This field is required."}, code="required")
    if len(given) > 1:
        raise QueryAmbiguous(problems=(Problem(f"/{given[1]}", QueryAmbiguous.code, "One way too many."),))
    query = data.get("query")
    if isinstance(query, list):
        return _together(query)
    return Words(query, at="/query") if query is not None else _like(data[given[0]])


def _together(parts: list[dict[str, Any]]) -> Together:
    asked = tuple(
        Part(_part(part, at=f"/query/{place}"), 1.0 if part.get("weight") is None else part["weight"])
        for place, part in enumerate(parts)
    )
    if all(part.weight < 0 for part in asked):
        raise QueryOnlyAvoids(problems=(Problem("/query", QueryOnlyAvoids.code, QueryOnlyAvoids.title),))
    return Together(asked)


def _part(part: Mapping[str, Any], *, at: str) -> Words | Picture | LikePage:
    if part.get("text") is not None:
        return Words(part["text"], at=f"{at}/text")
    if part.get("image") is not None:
        return Picture(part["image"], at=f"{at}/image")
    return _like(part.get("page") or part["crop"])


def _like(page: Mapping[str, Any]) -> LikePage:
    return LikePage(
        document_name=page["document_name"],
        collection_name=page.get("collection_name") or catalogue.DEFAULT_COLLECTION,
        page_number=page["page_number"],
        box=tuple(page["box"]) if "box" in page else None,
    )
