"""Collections over HTTP."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.errors import NothingToChange
from collections_app.api.fields import CollectionNameField, MetadataField
from collections_app.api.idempotency import IDEMPOTENCY_KEY, AlreadyAnswered, attempt_of
from collections_app.api.parameters import CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, LINK_HEADER
from collections_app.api.validation import validated
from collections_app.models import Collection
from paliapi.http.etags import answer, require_match
from paliapi.http.paging import paginate


class CollectionIn(serializers.Serializer[Collection]):
    name = CollectionNameField(help_text="1 to 255 characters; not `all`.")
    metadata = MetadataField(required=False, allow_null=True, help_text="Any JSON object; left out or null: `{}`.")


class CollectionChange(serializers.Serializer[Collection]):
    name = CollectionNameField(required=False, allow_null=True, help_text="The new name.")
    metadata = MetadataField(required=False, allow_null=True, help_text="Replaces the metadata as a whole.")


class CollectionOut(serializers.Serializer[Collection]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    metadata = MetadataField()
    num_documents = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


NAME = OpenApiParameter("collection_name", str, "path", description="Name; a `/` in it may be sent as it is or as %2F.")
_EXAMPLE = {
    "id": 7,
    "name": "reports",
    "metadata": {"team": "finance"},
    "num_documents": 12,
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}
_ONE = OpenApiExample("A collection", value=_EXAMPLE, response_only=True)


def represent(collection: Collection) -> dict[str, Any]:
    return dict(CollectionOut(collection).data)


def _guard(request: Request) -> Any:
    return lambda collection: require_match(request, represent(collection))


class Collections(OwnedView):
    also_answers: ClassVar = {"GET": (422,), "POST": (409,)}

    @extend_schema(
        operation_id="listCollections",
        tags=["collections"],
        summary="List your collections",
        description="All of them, oldest first. A long list pages: follow the `Link` header.",
        parameters=[LIMIT, CURSOR, LINK_HEADER],
        responses=CollectionOut(many=True),
        examples=[_ONE],
    )
    def get(self, request: Request) -> Response:
        page = paginate(request, catalogue.collections(self.transaction, self.caller))
        return Response([represent(row) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="createCollection",
        tags=["collections"],
        summary="Create a collection",
        description="Documents live in collections. A name belongs to one collection of yours at most.",
        parameters=[IDEMPOTENCY_KEY],
        request=CollectionIn,
        responses={201: CollectionOut},
        examples=[
            OpenApiExample("New", value={"name": "reports", "metadata": {"team": "finance"}}, request_only=True),
            OpenApiExample("A collection", value=_EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        data = validated(CollectionIn, request)
        attempt = attempt_of(request, self.caller.owner_id)
        try:
            attempt.claim()
        except AlreadyAnswered as earlier:
            return earlier.response
        made = catalogue.create_collection(
            self.transaction, self.caller, name=data["name"], metadata=data.get("metadata") or {}
        )
        return attempt.keep(Response(represent(made), status=201))


class CollectionDetail(OwnedView):
    also_answers: ClassVar = {"GET": (304,), "PATCH": (409, 412), "DELETE": (412,)}

    @extend_schema(
        operation_id="getCollection",
        tags=["collections"],
        summary="Read one collection",
        description="With an ETag, for `If-None-Match` here and `If-Match` on changes.",
        parameters=[NAME, IF_NONE_MATCH],
        responses=CollectionOut,
        examples=[_ONE],
    )
    def get(self, request: Request, collection_name: str) -> Response:
        return answer(request, represent(catalogue.find_collection(self.transaction, self.caller, collection_name)))

    @extend_schema(
        operation_id="updateCollection",
        tags=["collections"],
        summary="Rename a collection or replace its metadata",
        description="Metadata is replaced as a whole, not merged. Null counts as left out.",
        parameters=[NAME, IF_MATCH],
        request=CollectionChange,
        responses=CollectionOut,
        examples=[OpenApiExample("Rename", value={"name": "reports-2026"}, request_only=True), _ONE],
    )
    def patch(self, request: Request, collection_name: str) -> Response:
        data = validated(CollectionChange, request)
        if not data.get("name") and not data.get("metadata"):
            raise NothingToChange
        changed = catalogue.change_collection(
            self.transaction,
            self.caller,
            collection_name,
            new_name=data.get("name"),
            metadata=data.get("metadata"),
            precondition=_guard(request),
        )
        return answer(request, represent(changed))

    @extend_schema(
        operation_id="deleteCollection",
        tags=["collections"],
        summary="Delete a collection with all its documents",
        description="Takes effect at once and cannot be undone.",
        parameters=[NAME, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, collection_name: str) -> Response:
        catalogue.delete_collection(self.transaction, self.caller, collection_name, precondition=_guard(request))
        return Response(status=204)
