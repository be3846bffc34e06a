"""Endpoints of collections."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView, caller_of
from collections_app import catalogue
from collections_app.api.errors import NothingToChange
from collections_app.api.idempotency import IDEMPOTENCY_KEY, AlreadyCompleted, idempotent_request
from collections_app.api.parameters import COLLECTION_NAME, CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, LINK_HEADER
from collections_app.api.validation import CollectionNameField, MetadataField, validated
from collections_app.catalogue import Precondition
from collections_app.models import Collection
from paliapi.http.etags import etag_response, require_match


class CollectionIn(serializers.Serializer[Collection]):
    name = CollectionNameField(help_text="1 to 255 characters, except `all`.")
    metadata = MetadataField(required=False, allow_null=True, help_text="Any JSON object; default: `{}`.")
    vector_storage = serializers.ChoiceField(
        ["full", "compact"],
        required=False,
        allow_null=True,
        help_text="How vectors of pages are stored: `full`, or `compact` in a quarter of the space. The default is up "
        "to the operator, who can also convert a collection later.",
    )


class CollectionChange(serializers.Serializer[Collection]):
    name = CollectionNameField(required=False, allow_null=True, help_text="The new name.")
    metadata = MetadataField(required=False, allow_null=True, help_text="Replaces all metadata.")


class CollectionOut(serializers.Serializer[Collection]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    metadata = MetadataField(help_text="Empty if the key lacks the scope `read`.")
    num_documents = serializers.IntegerField()
    vector_storage = serializers.CharField(help_text="How vectors of new pages are stored: `full` or `compact`.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


_EXAMPLE = {
    "id": 7,
    "name": "reports",
    "metadata": {"team": "finance"},
    "num_documents": 12,
    "vector_storage": "full",
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}
_COLLECTION = OpenApiExample("A collection", value=_EXAMPLE, response_only=True)


def represent_collection(collection: Collection, request: Request) -> dict[str, Any]:
    """Represent a collection; without metadata if the key lacks the scope `read`."""
    representation = dict(CollectionOut(collection).data)
    return representation if caller_of(request).may("read") else {**representation, "metadata": {}}


def _if_match(request: Request) -> Precondition[Collection]:
    return lambda collection: require_match(request, represent_collection(collection, request))


class Collections(OwnedView):
    costs: ClassVar = {"GET": 1, "POST": 1}
    extra_statuses: ClassVar = {"GET": (422,), "POST": (409,)}

    @extend_schema(
        operation_id="listCollections",
        tags=["collections"],
        summary="List collections",
        description="Lists all your collections, oldest first. Long lists are paginated by the `Link` header.",
        parameters=[LIMIT, CURSOR, LINK_HEADER],
        responses=CollectionOut(many=True),
        examples=[_COLLECTION],
    )
    def get(self, request: Request) -> Response:
        page = self.paginate(catalogue.collections(self.transaction, self.caller))
        return Response([represent_collection(row, request) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="createCollection",
        tags=["collections"],
        summary="Create a collection",
        description="Every document belongs to a collection. Names of collections are unique within your account.",
        parameters=[IDEMPOTENCY_KEY],
        request=CollectionIn,
        responses={201: CollectionOut},
        examples=[
            OpenApiExample("New", value={"name": "reports", "metadata": {"team": "finance"}}, request_only=True),
            OpenApiExample("A collection", value=_EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        body = validated(CollectionIn, request)
        idempotent = idempotent_request(request, self.caller, collection_name=body["name"])
        try:
            idempotent.claim(self.transaction)
        except AlreadyCompleted as earlier:
            return earlier.response
        collection = catalogue.create_collection(
            self.transaction,
            self.caller,
            name=body["name"],
            metadata=body.get("metadata", {}),
            vector_storage=body.get("vector_storage"),
        )
        return idempotent.store(self.transaction, Response(represent_collection(collection, request), status=201))


class CollectionDetail(OwnedView):
    costs: ClassVar = {"GET": 1, "PATCH": 1, "DELETE": 5}
    extra_statuses: ClassVar = {"GET": (304,), "PATCH": (409, 412), "DELETE": (412,)}

    @extend_schema(
        operation_id="getCollection",
        tags=["collections"],
        summary="Get a collection",
        description="The response has an ETag, for `If-None-Match` here and `If-Match` on changes.",
        parameters=[COLLECTION_NAME, IF_NONE_MATCH],
        responses=CollectionOut,
        examples=[_COLLECTION],
    )
    def get(self, request: Request, collection_name: str) -> Response:
        collection = catalogue.find_collection(self.transaction, self.caller, collection_name)
        return etag_response(request, represent_collection(collection, request))

    @extend_schema(
        operation_id="updateCollection",
        tags=["collections"],
        summary="Rename a collection or replace its metadata",
        description="Metadata is replaced, not merged. Null means omitted.",
        parameters=[COLLECTION_NAME, IF_MATCH],
        request=CollectionChange,
        responses=CollectionOut,
        examples=[OpenApiExample("Rename", value={"name": "reports-2026"}, request_only=True), _COLLECTION],
    )
    def patch(self, request: Request, collection_name: str) -> Response:
        body = validated(CollectionChange, request)
        if not body.get("name") and not body.get("metadata"):
            raise NothingToChange
        collection = catalogue.change_collection(
            self.transaction,
            self.caller,
            collection_name,
            new_name=body.get("name"),
            metadata=body.get("metadata"),
            precondition=_if_match(request),
        )
        return etag_response(request, represent_collection(collection, request))

    @extend_schema(
        operation_id="deleteCollection",
        tags=["collections"],
        summary="Delete a collection and its documents",
        description="Takes effect at once and cannot be undone.",
        parameters=[COLLECTION_NAME, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, collection_name: str) -> Response:
        catalogue.delete_collection(self.transaction, self.caller, collection_name, precondition=_if_match(request))
        return Response(status=204)
