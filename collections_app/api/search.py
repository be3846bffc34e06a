"""Searching: by words, by an image, by a page that is there, or by several of these together."""

from typing import Any, ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import tasks
from collections_app.api import search_out
from collections_app.api.errors import RankingWithoutScores, RegionsOfTooMany
from collections_app.api.filter import FILTER_SCHEMA
from collections_app.api.search_in import CropIn, PageIn, QueryField, asked_of
from collections_app.api.validation import validated
from collections_app.engine.input import filter_parser
from collections_app.engine.input.filter_conditions import Filter
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.search import recall, recall_sampling, run
from collections_app.search.query import Asked, Picture, Words
from collections_app.search.run import Answer, Question
from paliapi.errors import Problem
from paliapi.http.parsers import max_json_upload_bytes
from paliapi.http.serializers import FlagField, NumberField, TextField

MOST_HITS = 1000
MOST_WITH_REGIONS = 20
FURTHEST = 10_000
MOST_COLLECTIONS = 1000


@extend_schema_field({**FILTER_SCHEMA, "nullable": True})
class FilterField(serializers.Field[Filter, Any, Any, Any]):
    """The filter language of `POST /v1/filter/`."""

    def to_internal_value(self, data: Any) -> Filter:
        return filter_parser.parse(data, at=f"/{self.field_name}")


class WhereIn(serializers.Serializer[Any]):
    """Where to look, and what the answer is to be like: the same for every way of asking."""

    collection_name = TextField(
        required=False, allow_null=True, help_text="Where to look; left out or `all`: in every collection of yours."
    )
    collections = serializers.ListField(
        child=TextField(),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=MOST_COLLECTIONS,
        help_text="Names of several collections, instead of `collection_name`.",
    )
    query_filter = FilterField(required=False, allow_null=True)
    top_k = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_HITS, help_text="How many pages; default 3."
    )
    offset = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=FURTHEST, help_text="How many of the best to pass over."
    )
    min_score = NumberField(
        required=False, allow_null=True, min_value=-1, max_value=1, help_text="The least `normalized_score` of a hit."
    )
    group_by = serializers.ChoiceField(
        choices=["document"], required=False, allow_null=True, help_text="Only the best page of each document."
    )
    images = serializers.ChoiceField(
        choices=["base64", "url", "none"],
        required=False,
        allow_null=True,
        help_text="How hits bring their image; default `base64`, which comes with a link too.",
    )
    mode = serializers.ChoiceField(
        choices=["auto", "exact"],
        required=False,
        allow_null=True,
        help_text="`exact` scores every page in scope; `auto`, the default, of many only those that sketches "
        "find likely. The scores of hits are exact either way.",
    )
    include = serializers.ListField(
        child=serializers.ChoiceField(choices=["text", "receipt", "regions"]),
        required=False,
        allow_null=True,
        max_length=3,
        help_text="What else to tell: the words of each page, how the answer was obtained, and where on the pages it "
        "lies (of at most 20 hits).",
    )

    def validate(self, attrs: Any) -> Any:
        if attrs.get("collection_name") is not None and attrs.get("collections") is not None:
            told = "Say `collection_name` or `collections`, not both."
            raise serializers.ValidationError({"collections": told}, code="ambiguous")
        if "regions" in (attrs.get("include") or ()) and (attrs.get("top_k") or 0) > MOST_WITH_REGIONS:
            raise RegionsOfTooMany(problems=(Problem("/top_k", RegionsOfTooMany.code, RegionsOfTooMany.title),))
        return attrs


class SearchIn(WhereIn):
    query = QueryField(
        required=False,
        allow_null=True,
        help_text="What you want to know: words, or parts that are asked together. Needed, unless a `page` or a `crop` "
        "is given.",
    )
    page = PageIn(
        required=False, allow_null=True, help_text="A page of yours, instead of `query`, to find others like it."
    )
    crop = CropIn(required=False, allow_null=True, help_text="A part of a page of yours, instead of `query`.")
    ranking = serializers.ChoiceField(
        choices=["auto", "maxsim", "hybrid", "lexical"],
        required=False,
        allow_null=True,
        help_text="`maxsim`: by late interaction; `lexical`: by words; `hybrid`: by both; `auto`, the default: "
        "`hybrid` for words with a number among them where the model reads text only, else `maxsim`.",
    )
    allow_degraded = FlagField(
        required=False,
        allow_null=True,
        help_text="Where the embeddings service does not answer, rank by words alone instead of failing.",
    )

    def validate(self, attrs: Any) -> Any:
        data = super().validate(attrs)
        if data.get("min_score") is not None and (data.get("allow_degraded") or data.get("ranking") == "lexical"):
            problem = Problem("/min_score", RankingWithoutScores.code, RankingWithoutScores.title)
            raise RankingWithoutScores(problems=(problem,))
        data["asked"] = asked_of(data)
        return data


class SearchImageIn(WhereIn):
    img_base64 = TextField(help_text="The image in base64, without a `data:` prefix.")


_TIMING = OpenApiParameter("Server-Timing", str, "header", response=[200], description="Milliseconds, by stage.")
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
_BY_WORDS = {"query": "INV-2023-0042", "ranking": "hybrid", "allow_degraded": True, "images": "none"}


class _Searching(OwnedView):
    scopes: ClassVar = {"POST": "search"}
    transactional = False  # it asks another machine

    def answered(self, request: Request, data: dict[str, Any], asked: Asked) -> Response:
        with concurrent("search", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_searches):
            question = _question(data, asked)
            answer = run.run(self.caller, question)
            include = frozenset(data.get("include", ()))
            told = search_out.represent(answer, request, images=data.get("images", "base64"), include=include)
        self._cast_shadow(question, answer, filter_json=cast(dict[str, Any], request.data).get("query_filter"))
        echoed = {} if isinstance(asked, Picture) else {"query": asked.text if isinstance(asked, Words) else ""}
        return Response({**echoed, **told}, headers=search_out.timing(answer.receipt))

    def _cast_shadow(self, question: Question, answer: Answer, *, filter_json: Any) -> None:
        """Now and then have what sketches found looked for exactly, where the two can be compared."""
        if answer.receipt.mode != "sketch" or question.by_document or question.min_score is not None:
            return
        if answer.query is not None and answer.where is not None and recall_sampling.is_drawn(answer.query):
            most = min(recall.K, question.offset + question.top_k)
            sample = recall_sampling.Sample(
                caller=self.caller,
                where=answer.where,
                filter_json=filter_json,
                query=answer.query,
                most=most,
                found=answer.receipt.best[:most],
            )
            tasks.schedule_comparison(recall_sampling.packed(sample))


def _question(data: dict[str, Any], asked: Asked) -> Question:
    names = data.get("collections") or [data.get("collection_name", ALL_COLLECTIONS)]
    return Question(
        asked=asked,
        collections=frozenset(names),
        filter=data.get("query_filter"),
        top_k=data.get("top_k", 3),
        offset=data.get("offset", 0),
        min_score=data.get("min_score"),
        ranking=data.get("ranking", "auto"),
        mode=data.get("mode", "auto"),
        allow_degraded=data.get("allow_degraded", False),
        by_document="group_by" in data,
        with_text="text" in data.get("include", ()),
        with_regions="regions" in data.get("include", ()),
    )


class SearchView(_Searching):
    extra_statuses: ClassVar = {"POST": (404, 409)}
    max_body_bytes = staticmethod(max_json_upload_bytes)

    @extend_schema(
        operation_id="search",
        tags=["search"],
        summary="Search pages by a question in words, by a page, or by several things together",
        description=(
            "Every page of what your documents show takes part as soon as it is ready. With `page` or `crop` instead "
            "of `query` the vectors that are kept of that page, or of what lies in the box, are the question, no model "
            "is asked, and the page itself is not among the hits. As a list `query` has parts: each counts by its "
            "weight, however long it is, and one below zero is avoided. An unknown collection is an empty one.\n\n"
            "Ranked `hybrid`, a page counts by the places that it has by score and by words, so that exact identifiers "
            "are found; `ranks` says both, and scores do not fall from hit to hit."
        ),
        parameters=[_TIMING],
        request=SearchIn,
        responses=search_out.SearchOut,
        examples=[
            OpenApiExample("A question", value=_WORDS, request_only=True),
            OpenApiExample("With more said", value=_MORE, request_only=True),
            OpenApiExample("More like this page", value=_LIKE, request_only=True),
            OpenApiExample("More like this part of a page", value=_PART_OF_A_PAGE, request_only=True),
            OpenApiExample("Several things together", value=_TOGETHER, request_only=True),
            OpenApiExample("An identifier", value=_BY_WORDS, request_only=True),
            OpenApiExample("A hit", value={"query": _WORDS["query"], **search_out.EXAMPLE}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = validated(SearchIn, request)
        return self.answered(request, data, data["asked"])


class SearchImageView(_Searching):
    max_body_bytes = staticmethod(max_json_upload_bytes)

    @extend_schema(
        operation_id="searchImage",
        tags=["search"],
        summary="Search pages by an image",
        description="The image may be a page, a part of one, or a photograph. All else is as in a search by words.",
        parameters=[_TIMING],
        request=SearchImageIn,
        responses=search_out.AnswerOut,
        examples=[
            OpenApiExample("An image", value={"img_base64": "iVBORw0KGgo=", "top_k": 3}, request_only=True),
            OpenApiExample("A hit", value=search_out.EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = validated(SearchImageIn, request)
        return self.answered(request, data, Picture(data["img_base64"], at="/img_base64"))
