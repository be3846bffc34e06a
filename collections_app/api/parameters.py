"""OpenAPI descriptions of parameters and headers that several operations share."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from collections_app import catalogue

LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1}, "query", description="Maximum number of rows; default: the largest."
)
CURSOR = OpenApiParameter("cursor", str, "query", description="Position of the next page, from the `Link` header.")
LINK_HEADER = OpenApiParameter(
    "Link", str, "header", response=[200], description='`<URL>; rel="next"` if there are more rows.'
)
IF_MATCH = OpenApiParameter("If-Match", str, "header", description="Fail with 412 unless this is the current ETag.")
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, "header", description="Return 304 if this is the current ETag.")
COLLECTION = OpenApiParameter(
    "collection_name",
    OpenApiTypes.STR,
    "query",
    description="The collection to look in; `all` for every collection.",
    default="default_collection",
)
COLLECTION_NAME = OpenApiParameter(
    "collection_name", str, "path", description="Name of the collection; a `/` in it may be sent as `/` or `%2F`."
)
DOCUMENT_NAME = OpenApiParameter(
    "document_name", str, "path", description="Name of the document; a `/` in it may be sent as `/` or `%2F`."
)
EXPAND = OpenApiParameter(
    "expand", str, "query", description="`pages` adds every page with its image in base64. Other values are ignored."
)


def collection_name_of(request: Request) -> str:
    """Return the collection that the query string names, or the default one."""
    return request.query_params.get("collection_name") or catalogue.DEFAULT_COLLECTION
