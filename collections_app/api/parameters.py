"""Parameters and headers that several operations share, as OpenAPI describes them."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1}, "query", description="Rows in this answer; else as many as may be."
)
CURSOR = OpenApiParameter("cursor", str, "query", description="Where to go on; comes with the `Link` header.")
LINK_HEADER = OpenApiParameter(
    "Link", str, "header", response=[200], description='`<URL>; rel="next"` when there is more.'
)
IF_MATCH = OpenApiParameter("If-Match", str, "header", description="Only if the ETag is still this one; else 412.")
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, "header", description="304 if the ETag is still this one.")
COLLECTION = OpenApiParameter(
    "collection_name",
    OpenApiTypes.STR,
    "query",
    description="Where to look; `all` means in every collection.",
    default="default_collection",
)
EXPAND = OpenApiParameter(
    "expand", str, "query", description="`pages` adds every page with its image in base64. Other words are ignored."
)
