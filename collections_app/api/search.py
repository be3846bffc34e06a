"""The endpoints that search pages by text, image, page, or several of these."""

from typing import Any, ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import costs, tasks
from collections_app.api import search_out
from collections_app.api.errors import RankingWithoutScores, RegionsOfTooMany
from collections_app.api.filter import FILTER_SCHEMA
from collections_app.api.search_in import CropIn, PageIn, QueryField, query_of
from collections_app.api.validation import validated
from collections_app.engine.input import filter_parser
from collections_app.engine.input.filter_conditions import Filter
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.search import (
    ImageQuery,
    QueryInput,
    SearchRequest,
    SearchResult,
    SearchTookTooLong,
    TextQuery,
    sample_of,
    search,
)
from paliapi.errors import Problem
from paliapi.http.parsers import max_json_upload_bytes
from paliapi.http.serializers import BoundedListField, FlagField, NumberField, SparseSerializer, TextField
from paliapi.units import MAX_NAME_LENGTH

MAX_TOP_K = 1000
MAX_TOP_K_WITH_REGIONS = 20
MAX_OFFSET = 10_000
MAX_COLLECTIONS = 1000


@extend_schema_field({**FILTER_SCHEMA, "nullable": True})
class FilterField(serializers.Field[Filter, Any, Any, Any]):
    """The filter language of `POST /v1/filter/`."""

    def to_internal_value(self, data: Any) -> Filter:
        return filter_parser.parse(data, at=f"/{self.field_name}")


class SearchOptionsIn(SparseSerializer[Any]):
    """The fields that both search endpoints have: where to search, and what to return."""

    collection_name = TextField(
        required=False,
        allow_null=True,
        max_length=MAX_NAME_LENGTH,
        help_text="The collection to search; default, or `all`: every collection of yours.",
    )
    collections = BoundedListField(
        child=TextField(max_length=MAX_NAME_LENGTH),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=MAX_COLLECTIONS,
        help_text="The collections to search, instead of `collection_name`.",
    )
    query_filter = FilterField(required=False, allow_null=True)
    top_k = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_TOP_K,
        help_text="Maximum number of hits; default 3.",
    )
    offset = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MAX_OFFSET,
        help_text="How many of the best hits to skip.",
    )
    min_score = NumberField(
        required=False, allow_null=True, min_value=-1, max_value=1, help_text="Minimum `normalized_score` of a hit."
    )
    group_by = serializers.ChoiceField(
        choices=["document"],
        required=False,
        allow_null=True,
        help_text="`document`: return only the best page of each document.",
    )
    images = serializers.ChoiceField(
        choices=["base64", "url", "none"],
        required=False,
        allow_null=True,
        help_text="How hits include their image; default `base64`, which includes a link too.",
    )
    mode = serializers.ChoiceField(
        choices=["auto", "exact"],
        required=False,
        allow_null=True,
        help_text="`exact` scores every page in scope; `auto`, the default, scores only the best candidates by "
        "sketches if the scope is large. The scores of hits are exact either way.",
    )
    include = BoundedListField(
        child=serializers.ChoiceField(choices=["text", "receipt", "regions"]),
        required=False,
        allow_null=True,
        max_length=3,
        help_text="Additional data: the text of each page, a receipt of how the search was done, and the regions of "
        "each page that match (at most 20 hits).",
    )

    def validate(self, attrs: Any) -> Any:
        if attrs.get("collection_name") is not None and attrs.get("collections") is not None:
            detail = "Send `collection_name` or `collections`, not both."
            raise serializers.ValidationError({"collections": detail}, code="ambiguous")
        if "regions" in (attrs.get("include") or ()) and (attrs.get("top_k") or 0) > MAX_TOP_K_WITH_REGIONS:
            raise RegionsOfTooMany(problems=(Problem("/top_k", RegionsOfTooMany.code, RegionsOfTooMany.title),))
        return attrs


class SearchIn(SearchOptionsIn):
    query = QueryField(
        required=False,
        allow_null=True,
        help_text="The query: text, or a list of parts that are combined. Required unless `page` or `crop` is sent.",
    )
    page = PageIn(
        required=False, allow_null=True, help_text="One of your pages, instead of `query`, to find similar ones."
    )
    crop = CropIn(required=False, allow_null=True, help_text="A part of one of your pages, instead of `query`.")
    ranking = serializers.ChoiceField(
        choices=["auto", "maxsim", "hybrid", "lexical"],
        required=False,
        allow_null=True,
        help_text="`maxsim`: by late interaction; `lexical`: by words; `hybrid`: by both; `auto`, the default: "
        "`hybrid` for text with a number or an identifier if the model sees only text, else `maxsim`.",
    )
    rerank = FlagField(
        required=False,
        allow_null=True,
        help_text="Let the reranker of the embeddings service read the 50 best pages, and order those with text by its "
        "score and that of the ranking. Needs a query with text.",
    )
    allow_degraded = FlagField(
        required=False,
        allow_null=True,
        help_text="If the embeddings service is unavailable, rank by words alone or do not rerank, instead of failing.",
    )

    def validate(self, attrs: Any) -> Any:
        data = super().validate(attrs)
        if data.get("min_score") is not None and (data.get("allow_degraded") or data.get("ranking") == "lexical"):
            problem = Problem("/min_score", RankingWithoutScores.code, RankingWithoutScores.title)
            raise RankingWithoutScores(problems=(problem,))
        data["query_input"] = query_of(data)
        return data


class SearchImageIn(SearchOptionsIn):
    img_base64 = TextField(
        help_text="The image, in any image format that documents may have, in base64 without a `data:` prefix."
    )


_TIMING = OpenApiParameter("Server-Timing", str, "header", response=[200], description="Milliseconds per stage.")
_WORDS = {"query": "Which lighthouse is the tallest?", "collection_name": "all", "top_k": 3}
_MORE = {
    "query": "Which lighthouse is the tallest?",
    "collections": ["reports", "papers"],
    "query_filter": {"key": "year", "op": "gte", "value": 2020},
    "top_k": 10,
    "group_by": "document",
    "images": "url",
    "include": ["text", "receipt", "regions"],
}
_PAGE = {"document_name": "annual-report.pdf", "collection_name": "reports", "page_number": 3}
_LIKE = {"page": _PAGE, "images": "none"}
_PART_OF_A_PAGE = {"crop": {**_PAGE, "box": [0.1, 0.55, 0.9, 0.8]}, "images": "none"}
_TOGETHER = {
    "query": [{"text": "revenue by region"}, {"page": _PAGE, "weight": 0.5}, {"text": "forecast", "weight": -0.3}],
    "images": "none",
}
_RERANKED = {"query": "Which lighthouse is the tallest?", "rerank": True, "images": "none"}
_BY_WORDS = {"query": "INV-2023-0042", "ranking": "hybrid", "allow_degraded": True, "images": "none"}


class SearchesPages(OwnedView):
    """A view that searches, and charges for it."""

    transactional = False  # it calls another service

    def run_search(self, body: dict[str, Any], query: QueryInput, *, filter_json: Any) -> SearchResult:
        """Search as the validated body says. `filter_json` is its filter as it was sent."""
        self.charge(costs.of_search(body, query))
        search_request = _search_request(body, query)
        try:
            result = search(self.caller, search_request)
        except SearchTookTooLong:
            self.settle(settings.ENV.search_timeout_s)
            raise
        self.settle(costs.working_s(result.receipt))
        if sample := sample_of(self.caller, search_request, result, filter_json=filter_json):
            tasks.schedule_comparison(sample)
        return result


class _SearchBase(SearchesPages):
    costs: ClassVar = {"POST": 1}
    scopes: ClassVar = {"POST": "search"}
    reading_methods: ClassVar = frozenset({"POST", "OPTIONS"})
    searching_methods: ClassVar = frozenset({"POST"})

    def respond(self, request: Request, body: dict[str, Any], query: QueryInput) -> Response:
        filter_json = cast(dict[str, Any], request.data).get("query_filter")
        result = self.run_search(body, query, filter_json=filter_json)
        images, include = body.get("images", "base64"), frozenset(body.get("include", ()))
        self.owe(costs.of_hit_images(len(result.hits)) if images == "base64" else 0)
        represented = search_out.represent_result(result, request, images=images, include=include)
        echo = {} if isinstance(query, ImageQuery) else {"query": query.text if isinstance(query, TextQuery) else ""}
        return Response({**echo, **represented}, headers=search_out.server_timing(result.receipt))


# Fields of a body with the same name and meaning in a `SearchRequest`, which has their defaults.
_SAME_FIELDS = (
    "query_filter",
    "top_k",
    "offset",
    "min_score",
    "ranking",
    "rerank",
    "mode",
    "group_by",
    "allow_degraded",
)


def _search_request(body: dict[str, Any], query: QueryInput) -> SearchRequest:
    return SearchRequest(
        query=query,
        collections=frozenset(body.get("collections") or [body.get("collection_name", ALL_COLLECTIONS)]),
        include=frozenset(body.get("include", ())),
        **{name: body[name] for name in _SAME_FIELDS if name in body},
    )


class SearchView(_SearchBase):
    extra_statuses: ClassVar = {"POST": (404, 409)}
    max_body_bytes = staticmethod(max_json_upload_bytes)

    @extend_schema(
        operation_id="search",
        tags=["search"],
        summary="Search pages",
        description=(
            "Searches all pages that your documents show. With `page` or `crop` instead of `query`, the stored vectors "
            "of that page, or of the part inside the box, are the query; no model is called, and the page itself is "
            "not among the hits. A `query` that is a list combines its parts by weight, regardless of their length; "
            "parts with a negative weight are avoided. An unknown collection counts as empty.\n\n"
            "With `ranking: hybrid`, hits are ordered by score and words, so that exact identifiers are found; `ranks` "
            "has the fused score and both ranks, and scores may increase from one hit to the next.\n\n"
            "With `rerank`, hits are ordered by the reranker's score and the ranking's together, so scores may "
            "increase as well. Without a reranker in the embeddings service, the response is 409 `reranker_missing`."
        ),
        parameters=[_TIMING],
        request=SearchIn,
        responses=search_out.SearchOut,
        examples=[
            OpenApiExample("A text query", value=_WORDS, request_only=True),
            OpenApiExample("More options", value=_MORE, request_only=True),
            OpenApiExample("More like this page", value=_LIKE, request_only=True),
            OpenApiExample("More like this part of a page", value=_PART_OF_A_PAGE, request_only=True),
            OpenApiExample("Several parts", value=_TOGETHER, request_only=True),
            OpenApiExample("Reranked", value=_RERANKED, request_only=True),
            OpenApiExample("An identifier", value=_BY_WORDS, request_only=True),
            OpenApiExample("A hit", value={"query": _WORDS["query"], **search_out.EXAMPLE}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        body = validated(SearchIn, request)
        return self.respond(request, body, body["query_input"])


class SearchImageView(_SearchBase):
    max_body_bytes = staticmethod(max_json_upload_bytes)

    @extend_schema(
        operation_id="searchImage",
        tags=["search"],
        summary="Search pages by an image",
        description="The image may be a page, a part of a page, or a photo. All other fields are those of `search`.",
        parameters=[_TIMING],
        request=SearchImageIn,
        responses=search_out.AnswerOut,
        examples=[
            OpenApiExample("An image", value={"img_base64": "iVBORw0KGgo=", "top_k": 3}, request_only=True),
            OpenApiExample("A hit", value=search_out.EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        body = validated(SearchImageIn, request)
        return self.respond(request, body, ImageQuery(body["img_base64"], at="/img_base64"))
