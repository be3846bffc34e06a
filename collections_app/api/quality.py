"""The endpoint that reports the search recall of a collection."""

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.parameters import COLLECTION_NAME
from collections_app.search import RECALL_DAYS, RECALL_K, measured_recall
from collections_app.storage.vectors import vectors_per_page


class QualityOut(serializers.Serializer[Any]):
    collection_name = serializers.CharField()
    recall = serializers.FloatField(
        allow_null=True,
        help_text="Share of the exact best `k` pages that searches found; null if none was compared.",
    )
    k = serializers.IntegerField(help_text="Pages compared per search; fewer if a search requested fewer.")
    searches_compared = serializers.IntegerField(help_text="Searches that were repeated exactly.")
    pages_expected = serializers.IntegerField(help_text="Pages of this collection among the exact best.")
    pages_found = serializers.IntegerField(help_text="How many of them the searches found.")
    days = serializers.IntegerField(help_text="Number of days covered.")
    shadow_percent = serializers.IntegerField(help_text="Percentage of searches that are repeated.")
    vector_storage = serializers.CharField(help_text="How vectors of new pages are stored: `full` or `compact`.")
    vectors_per_page = serializers.FloatField(
        allow_null=True, help_text="Mean number of vectors of a few pages; null without pages."
    )


_EXAMPLE = {
    "collection_name": "reports",
    "recall": 0.985,
    "k": 10,
    "searches_compared": 40,
    "pages_expected": 400,
    "pages_found": 394,
    "days": 30,
    "shadow_percent": 1,
    "vector_storage": "full",
    "vectors_per_page": 412.5,
}


class CollectionQuality(OwnedView):
    costs: ClassVar = {"GET": 1}

    @extend_schema(
        operation_id="getCollectionQuality",
        tags=["collections"],
        summary="Get the search recall of a collection",
        description=(
            "In a large scope, sketches choose the pages that are scored. A sample of such searches is repeated "
            "exactly by an idle worker; this is the comparison."
        ),
        parameters=[COLLECTION_NAME],
        responses=QualityOut,
        examples=[OpenApiExample("Quality", value=_EXAMPLE, response_only=True)],
    )
    def get(self, _request: Request, collection_name: str) -> Response:
        collection = catalogue.find_collection(self.transaction, self.caller, collection_name)
        measured = measured_recall(self.transaction, collection)
        return Response(
            {
                "collection_name": collection.name,
                "recall": measured.recall,
                "k": RECALL_K,
                "searches_compared": measured.searches,
                "pages_expected": measured.expected,
                "pages_found": measured.found,
                "days": RECALL_DAYS,
                "shadow_percent": settings.ENV.shadow_percent,
                "vector_storage": collection.vector_storage,
                "vectors_per_page": vectors_per_page(self.transaction, collection),
            }
        )
