"""Searching over HTTP."""

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import OwnedView
from accounts.limits import concurrent
from collections_app import search
from collections_app.api.body import validated
from collections_app.api.filter import FILTER_SCHEMA
from collections_app.engine import filters
from collections_app.engine.conditions import Filter
from paliapi.serializers import TextField

MOST_HITS = 1000
LONGEST_QUERY = 10_000


@extend_schema_field({**FILTER_SCHEMA, "nullable": True})
class FilterField(serializers.Field[Filter, Any, Any, Any]):
    """The filter language of `POST /v1/filter/`."""

    def to_internal_value(self, data: Any) -> Filter:
        return filters.parse(data, at=f"/{self.field_name}")


class SearchIn(serializers.Serializer[Any]):
    query = TextField(max_length=LONGEST_QUERY, help_text="What you want to know.")
    collection_name = TextField(
        required=False, allow_null=True, help_text="Where to look; left out or `all`: in every collection of yours."
    )
    top_k = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_HITS, help_text="How many pages; default 3."
    )
    query_filter = FilterField(required=False, allow_null=True)


class HitOut(serializers.Serializer[Any]):
    collection_name = serializers.CharField()
    collection_id = serializers.IntegerField()
    collection_metadata = serializers.DictField(allow_null=True)
    document_name = serializers.CharField()
    document_id = serializers.IntegerField()
    document_metadata = serializers.DictField(allow_null=True)
    page_number = serializers.IntegerField()
    raw_score = serializers.FloatField(help_text="MaxSim: the sum over the query's vectors of their best match.")
    normalized_score = serializers.FloatField(help_text="The raw score divided by the number of the query's vectors.")
    img_base64 = serializers.CharField()


class SearchOut(serializers.Serializer[Any]):
    query = serializers.CharField(help_text="The question again.")
    results = HitOut(many=True, help_text="Best first. Empty while nothing in scope is searchable.")


_EMPTY = {"query": "Which lighthouse is the tallest?", "results": []}


class SearchView(OwnedView):
    scopes: ClassVar = {"POST": "search"}

    @extend_schema(
        operation_id="search",
        tags=["search"],
        summary="Search pages by a question in words",
        description="Only pages whose document is ready take part.",
        request=SearchIn,
        responses=SearchOut,
        examples=[
            OpenApiExample(
                "A question",
                value={"query": "Which lighthouse is the tallest?", "collection_name": "all", "top_k": 3},
                request_only=True,
            ),
            OpenApiExample("Nothing searchable yet", value=_EMPTY, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = validated(SearchIn, request)
        question = search.Question(
            query=data["query"],
            collection_name=data.get("collection_name", "all"),
            top_k=data.get("top_k", 3),
            filter=data.get("query_filter"),
        )
        with concurrent("search", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_searches):
            results = search.run(self.caller, question)
        return Response({"query": question.query, "results": results})
