"""Searching, by words, images, pages and parts of pages. The URL holds the whole search, except an image."""

import json
from typing import Any, ClassVar, cast

from django.http import HttpResponse, QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.api.search import SearchesPages, SearchIn
from collections_app.search import QueryInput, SearchResult
from console.problem_pages import advice
from console.views.base import ConsoleView
from console.views.first_visit import first_visit
from console.views.hits import receipt_of, represent_hits
from paliapi.errors import Error, Invalid
from paliapi.http import problems
from paliapi.http.parsers import JSONParser, max_json_upload_bytes

HITS = 12
_MAX_PAGE = 500
_MAX_COLLECTIONS = 200
RANKINGS = (
    ("auto", "Automatic"),
    ("maxsim", "By look and meaning"),
    ("hybrid", "Both, words included"),
    ("lexical", "Words only"),
)
# What leads from a hit to its page keeps these of the search.
KEPT = ("q", "part", "image")


class SearchUrlInvalid(Invalid):
    code = "search_url_invalid"
    title = "The address of this search is damaged: a part of it is not JSON."


class SearchInput:
    """A search as its URL states it."""

    def __init__(self, params: QueryDict, *, image: str = "") -> None:
        self.params = params
        self.text = params.get("q", "").strip()
        self.parts = [_decoded(part) for part in params.getlist("part")]
        self._image = image
        self.filter_text = params.get("filter", "").strip()
        self.number = min(int(number), _MAX_PAGE) if (number := params.get("page", "")).isdecimal() and number else 1
        self.collections = params.getlist("collection")

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.parts or self._image)

    @property
    def waits_for_image(self) -> bool:
        """Whether the search has an image, which a script has to send."""
        return bool(self.params.get("image")) and not self._image

    def body(self) -> dict[str, Any]:
        """Return the body of the API's request for this search."""
        parts = [{"text": self.text}] if self.text else []
        parts += [{"image": self._image}] if self._image else []
        parts += self.parts
        body: dict[str, Any] = {
            "query": self.text if self.text and len(parts) == 1 else parts,
            "top_k": HITS,
            "include": ["text", "regions", "receipt"],
        }
        if self.collections:
            body["collections"] = self.collections
        if self.filter_text:
            body["query_filter"] = _decoded(self.filter_text)
        if (ranking := self.params.get("ranking", "auto")) != "auto":
            body["ranking"] = ranking
        if self.params.get("mode") == "exact":
            body["mode"] = "exact"
        if self.params.get("group") == "document":
            body["group_by"] = "document"
        if self.params.get("rerank"):
            body["rerank"] = True
        if self.number > 1:
            body["offset"] = (self.number - 1) * HITS
        return body

    def with_page(self, number: int) -> str:
        """Return the query of the URL of another page of hits."""
        params = self.params.copy()
        params["page"] = str(number)
        return params.urlencode()

    def kept(self) -> QueryDict:
        """Return what the page of a hit needs of the search."""
        params = QueryDict(mutable=True)
        for name in KEPT:
            params.setlist(name, self.params.getlist(name))
        return params


def params_and_image(body: dict[str, Any]) -> tuple[QueryDict, str]:
    """Return the search of a URL and its image, as a script sends both."""
    params, image = body.get("params"), body.get("image")
    if not (isinstance(params, str) and isinstance(image, str)):
        raise SearchUrlInvalid
    return QueryDict(params), image


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SearchUrlInvalid from None


def validated_query(body: dict[str, Any]) -> tuple[dict[str, Any], QueryInput]:
    """Validate a body as the API does; return it with its query."""
    serializer = SearchIn(data=body)
    try:
        serializer.is_valid(raise_exception=True)
    except serializers.ValidationError as error:
        raise problems.invalid(error) from None
    data = {name: value for name, value in serializer.validated_data.items() if value is not None}
    return data, data["query_input"]


class Search(SearchesPages, ConsoleView):
    """The page of the search, and its hits."""

    template = "console/search.html"
    section = "search"
    scopes: ClassVar = {"GET": "search", "POST": "search"}
    parser_classes = (JSONParser,)
    max_body_bytes = staticmethod(max_json_upload_bytes)

    def get(self, request: Request) -> HttpResponse:
        """Show the form and, if the URL has a query, its hits."""
        with acting_for(self.caller.owner_id) as tx:
            rows = catalogue.collections(tx, self.caller).order_by("name")[:_MAX_COLLECTIONS]
            collections = list(rows)
            first = None if len(request.query_params) else first_visit(tx, self)
        return self._show(request.query_params, collections=collections, first=first)

    def post(self, request: Request) -> HttpResponse:
        """Return the hits of a search with an image, whose body has the query of the URL and the image."""
        params, image = params_and_image(cast(dict[str, Any], request.data))
        return self._show(params, image=image, template="console/search_hits.html")

    def _show(self, params: QueryDict, *, image: str = "", template: str = "", **context: Any) -> HttpResponse:
        status = 200
        try:
            search = SearchInput(params, image=image)
            if not search.is_empty and not search.waits_for_image:
                context |= self._hits(search)
        except Error as error:
            response = problems.error_response(error)
            problem = json.loads(response.content)
            context |= {"problem": problem, "advice": advice(problem, response)}
            # A script shows the page only if it has succeeded.
            status = 200 if template or "HX-Request" in self.request.headers else response.status_code
            search = SearchInput(QueryDict() if isinstance(error, SearchUrlInvalid) else params)
        return self.page(status=status, template=template, search=search, rankings=RANKINGS, **context)

    def _hits(self, search: SearchInput) -> dict[str, Any]:
        with self.search_slot():
            sent = search.body()
            body, query = validated_query({**sent, "images": "none", "allow_degraded": True})
            result: SearchResult = self.run_search(body, query, filter_json=sent.get("query_filter"))
        hits = represent_hits(result, text=search.text, kept=search.kept())
        return {
            "hits": hits,
            "receipt": receipt_of(result.receipt),
            "body": sent if not search.params.get("image") else None,
            "next": search.with_page(search.number + 1) if len(hits) == HITS else "",
            "previous": search.with_page(search.number - 1) if search.number > 1 else "",
            "first_rank": (search.number - 1) * HITS,
        }
