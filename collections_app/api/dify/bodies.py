"""The bodies of Dify's external-knowledge API."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from collections_app.api.dify.conditions import OPERATORS
from collections_app.api.document_out import PageImageLinks
from collections_app.api.search import MAX_TOP_K
from collections_app.api.search_in import MAX_TEXT_LENGTH, not_blank
from collections_app.engine.input.filter_parser import MAX_CONDITIONS
from collections_app.engine.input.jsonb import MAX_KEY_LENGTH
from collections_app.search import Hit
from paliapi.http.serializers import BoundedListField, NumberField, TextField
from paliapi.units import MAX_NAME_LENGTH


@extend_schema_field({})
class ValueField(serializers.JSONField):
    """A value to compare with, which the filter language validates."""


class ConditionIn(serializers.Serializer[Any]):
    name = TextField(max_length=MAX_KEY_LENGTH, help_text="A key of the documents' metadata.")
    comparison_operator = serializers.ChoiceField(choices=OPERATORS, help_text="How to compare.")
    value = ValueField(
        required=False,
        allow_null=True,
        help_text="Text, a number or a list; omitted with `empty` and `not empty`. Dates are `2026-06-30`.",
    )


class MetadataConditionIn(serializers.Serializer[Any]):
    logical_operator = serializers.ChoiceField(
        choices=("and", "or"), required=False, allow_null=True, help_text="How conditions combine; default `and`."
    )
    conditions = BoundedListField(
        child=ConditionIn(), allow_null=True, max_length=MAX_CONDITIONS, help_text="The conditions."
    )


class RetrievalSettingIn(serializers.Serializer[Any]):
    top_k = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_TOP_K,
        help_text="Maximum number of records; default 3.",
    )
    score_threshold = NumberField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=1,
        help_text="Minimum `score` of a record; 0, the default, is no threshold.",
    )


class RetrievalIn(serializers.Serializer[Any]):
    """What Dify sends. Unknown fields are ignored, because its versions differ in them."""

    knowledge_id = TextField(
        max_length=MAX_NAME_LENGTH, help_text="The name of a collection, or `all`: every collection of yours."
    )
    query = TextField(max_length=MAX_TEXT_LENGTH, help_text="The question.")
    retrieval_setting = RetrievalSettingIn(help_text="How many records, and how good.")
    metadata_condition = MetadataConditionIn(
        required=False, allow_null=True, help_text="Conditions on the metadata of documents."
    )

    def validate_query(self, value: str) -> str | None:
        return not_blank(value)


class RecordOut(serializers.Serializer[Any]):
    content = serializers.CharField(help_text="The text of the page; without text, a sentence that names the image.")
    score = serializers.FloatField(
        help_text="The `normalized_score` of the page, from 0 to 1; 0 if ranked by words alone."
    )
    title = serializers.CharField(help_text="The document and the number of the page.")
    metadata = serializers.DictField(
        help_text="The metadata of the document, and `collection_name`, `document_name`, `document_id`, `page_number`, "
        "`image_url` and `thumbnail_url`, whose links expire."
    )


class RetrievalOut(serializers.Serializer[Any]):
    records = RecordOut(many=True, help_text="Best first; empty if nothing matches.")


QUESTION = OpenApiExample(
    "A question with a condition",
    value={
        "knowledge_id": "reports",
        "query": "Which lighthouse is the tallest?",
        "retrieval_setting": {"top_k": 2, "score_threshold": 0.5},
        "metadata_condition": {
            "logical_operator": "and",
            "conditions": [{"name": "year", "comparison_operator": "≥", "value": 2020}],
        },
    },
    request_only=True,
)
RECORDS = OpenApiExample(
    "Records",
    value={
        "records": [
            {
                "content": "The tallest lighthouse is at Jeddah.",
                "score": 0.87,
                "title": "annual-report.pdf, page 3",
                "metadata": {
                    "year": 2026,
                    "collection_name": "reports",
                    "document_name": "annual-report.pdf",
                    "document_id": 42,
                    "page_number": 3,
                    "image_url": "http://localhost:8001/v1/files/pages/WzEsMTIwN10:1vMKfC:example",
                    "thumbnail_url": "http://localhost:8001/v1/files/thumbnails/WzEsMTIwN10:1vMKfC:example",
                },
            }
        ]
    },
    response_only=True,
)


def represent_records(hits: list[Hit], request: Request) -> dict[str, Any]:
    """Return the body of a response."""
    links = PageImageLinks(request)
    return {"records": [_represent_record(hit, links) for hit in hits]}


def _represent_record(hit: Hit, links: PageImageLinks) -> dict[str, Any]:
    page = hit.page
    title, image_url = f"{page.document_name}, page {page.number}", links.image(page)
    return {
        "content": page.text or f"The page has no text. Its image: {image_url}",
        "score": min(1.0, max(0.0, hit.normalized_score or 0.0)),
        "title": title,
        "metadata": {
            **page.document_metadata,
            "collection_name": page.collection_name,
            "document_name": page.document_name,
            "document_id": page.document_id,
            "page_number": page.number,
            "image_url": image_url,
            "thumbnail_url": links.thumbnail(page),
        },
    }
