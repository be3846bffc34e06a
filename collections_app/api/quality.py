"""How good the searches of a collection are."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.collections import NAME
from collections_app.search import recall


class QualityOut(serializers.Serializer[Any]):
    collection_name = serializers.CharField()
    recall = serializers.FloatField(
        allow_null=True,
        help_text="Share of the exact best `k` pages that searches found; null while none was compared.",
    )
    k = serializers.IntegerField(help_text="Of a search that asked for fewer pages, as many as it asked for.")
    searches_compared = serializers.IntegerField(help_text="Searches that were made again exactly.")
    pages_expected = serializers.IntegerField(help_text="Pages of this collection among the exact best of them all.")
    pages_found = serializers.IntegerField(help_text="How many of these were found.")
    days = serializers.IntegerField(help_text="How far back this goes.")
    shadow_percent = serializers.IntegerField(help_text="How many searches of a hundred are made again.")


_EXAMPLE = {
    "collection_name": "reports",
    "recall": 0.985,
    "k": 10,
    "searches_compared": 40,
    "pages_expected": 400,
    "pages_found": 394,
    "days": 30,
    "shadow_percent": 1,
}


class CollectionQuality(OwnedView):
    @extend_schema(
        operation_id="getCollectionQuality",
        tags=["collections"],
        summary="How much searches of a collection find",
        description=(
            "A large scope is not searched exactly: sketches choose the pages that are scored. Of such searches a few "
            "are made again later, exactly, by a worker that has nothing else to do. This is what came of it."
        ),
        parameters=[NAME],
        responses=QualityOut,
        examples=[OpenApiExample("Quality", value=_EXAMPLE, response_only=True)],
    )
    def get(self, _request: Request, collection_name: str) -> Response:
        collection = catalogue.find_collection(self.transaction, self.caller, collection_name)
        found = recall.of(collection)
        return Response(
            {
                "collection_name": collection.name,
                "recall": found.recall,
                "k": recall.K,
                "searches_compared": found.searches,
                "pages_expected": found.expected,
                "pages_found": found.found,
                "days": recall.DAYS,
                "shadow_percent": settings.ENV.shadow_percent,
            }
        )
