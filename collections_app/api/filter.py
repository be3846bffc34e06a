"""The endpoint that finds collections and documents by their metadata."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import catalogue, costs
from collections_app.api import document_out
from collections_app.api.collections import CollectionOut, represent_collection
from collections_app.api.document_out import DocumentOut, expands_pages, represent_documents
from collections_app.api.parameters import CURSOR, EXPAND, LIMIT, LINK_HEADER
from collections_app.engine.input import filter_parser
from collections_app.search import metadata_matches

# Filters are validated by `filter_parser`, not by a serializer, so their schema is written out here.
_KEY = {"type": "string"}
FILTER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "description": (filter_parser.__doc__ or "").partition("\n\n")[2],
    "properties": {
        "on": {"type": "string", "enum": ["document", "collection"], "default": "document"},
        "key": {"oneOf": [_KEY, {"type": "array", "items": _KEY, "maxItems": filter_parser.MAX_KEYS}]},
        "value": {},
        "lookup": {"type": "string", "enum": list(filter_parser.LOOKUPS), "default": "key_lookup"},
        "op": {"type": "string", "enum": list(filter_parser.OPS)},
        "and": {"type": "array", "minItems": 1, "maxItems": filter_parser.MAX_CONDITIONS, "items": {"type": "object"}},
        "or": {"type": "array", "minItems": 1, "maxItems": filter_parser.MAX_CONDITIONS, "items": {"type": "object"}},
        "not": {"type": "object"},
    },
}
_EXAMPLES = {
    "One key": {"on": "document", "key": "year", "value": 2026, "lookup": "key_lookup"},
    "Presence": {"key": "author", "lookup": "has_key"},
    "Range": {"and": [{"key": "year", "op": "gte", "value": 2020}, {"key": "year", "op": "lt", "value": 2027}]},
    "Nested, dates, lists": {
        "or": [
            {"key": ["contract", "signed"], "op": "gte", "value": {"date": "2026-01-01"}},
            {"not": {"key": "tags", "op": "contains", "value": "draft"}},
        ]
    },
    "Collections": {"on": "collection", "key": "team", "op": "in", "value": ["finance", "legal"]},
}


class FilterView(OwnedView):
    costs: ClassVar = {"POST": 1}
    scopes: ClassVar = {"POST": "read"}
    reading_methods: ClassVar = frozenset({"POST", "OPTIONS"})
    extra_statuses: ClassVar = {"POST": (413,)}

    @extend_schema(
        operation_id="filter",
        tags=["filter"],
        summary="Find documents or collections by metadata",
        description="Looks in all your collections. Returns an array, oldest first; long lists are paginated by the "
        "`Link` header.",
        parameters=[EXPAND, LIMIT, CURSOR, LINK_HEADER],
        request={"application/json": FILTER_SCHEMA},
        responses=PolymorphicProxySerializer(
            component_name="FilterHit",
            serializers=[DocumentOut, CollectionOut],
            resource_type_field_name=None,
            many=True,
        ),
        examples=[
            *(OpenApiExample(name, value=value, request_only=True) for name, value in _EXAMPLES.items()),
            OpenApiExample("A document", value=document_out.EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        query = filter_parser.parse(request.data)
        self.charge(costs.of_filter(query))
        if query.on == "collection":
            condition = metadata_matches(query.condition, document="metadata", collection="metadata")
            collections = catalogue.collections(self.transaction, self.caller).filter(condition)
            page = self.paginate(collections)
            return Response([represent_collection(row, request) for row in page.rows], headers=page.headers)
        condition = metadata_matches(query.condition, document="metadata", collection="collection__metadata")
        documents = self.paginate(catalogue.documents(self.transaction, self.caller).filter(condition))
        self.charge(costs.of_page_images(documents.rows) if expands_pages(request) else 0)
        return Response(represent_documents(documents.rows, request), headers=documents.headers)
