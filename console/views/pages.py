"""One page, large: its text, where a query matches on it, and searching by it or a part of it."""

import json
from typing import Any, ClassVar, cast

from django.http import HttpResponse, JsonResponse, QueryDict
from django.urls import reverse
from rest_framework.request import Request

from collections_app import catalogue, costs
from collections_app.api.search import SearchesPages
from collections_app.api.search_out import represent_regions
from collections_app.search import explain_page
from collections_app.storage import vectors
from console.views.addresses import collection_url, document_url
from console.views.base import ConsoleView
from console.views.hits import like_url, page_url
from console.views.search import SearchInput, params_and_image, validated_query
from paliapi.errors import NotFound
from paliapi.http.parsers import JSONParser, max_json_upload_bytes

_UNLIKE = -0.5


class PageView(ConsoleView):
    """The page of a page."""

    template = "console/page.html"
    section = "search"

    def get(self, request: Request) -> HttpResponse:
        """Show the page that the query of the URL names."""
        params = request.query_params
        tx = self.transaction
        document = catalogue.find_document(
            tx, self.caller, params.get("document", ""), collection_name=params.get("collection", "")
        )
        page = catalogue.find_page(tx, document, _number(params.get("page", "")))
        numbers = catalogue.pages(tx, document).values_list("number", flat=True)
        before = numbers.filter(number__lt=page.number).order_by("-number").first()
        after = numbers.filter(number__gt=page.number).first()
        search = SearchInput(params)
        place = {"collection": document.collection.name, "document": document.name}
        kept = search.kept()
        described = vectors.read_with_layout(tx, [page.pk]).get(page.pk)
        return self.page(
            search=search,
            document=document,
            page=page,
            total=document.shown.pages_total if document.shown else None,
            words=[list(word) for word in described.words] if described else [],
            previous=page_url(**place, number=before, kept=kept) if before else "",
            next=page_url(**place, number=after, kept=kept) if after else "",
            document_url=document_url(**place),
            collection_url=collection_url(document.collection.name),
            like_url=like_url(**place, number=page.number),
            unlike_url="" if search.is_empty or search.waits_for_image else _unlike_url(search, page.number, **place),
            crop={"document_name": document.name, "collection_name": place["collection"], "page_number": page.number},
        )


class Heat(SearchesPages, ConsoleView):
    """Where on a page each vector of a query matches, as JSON."""

    scopes: ClassVar = {"GET": "search", "POST": "search"}
    parser_classes = (JSONParser,)
    max_body_bytes = staticmethod(max_json_upload_bytes)

    def get(self, request: Request) -> HttpResponse:
        return self._heat(request.query_params)

    def post(self, request: Request) -> HttpResponse:
        """Respond for a query with an image, which the body has besides the query of the URL."""
        params, image = params_and_image(cast(dict[str, Any], request.data))
        return self._heat(params, image=image)

    def _heat(self, params: QueryDict, *, image: str = "") -> HttpResponse:
        search = SearchInput(params, image=image)
        if search.is_empty:
            raise NotFound("Without a query, nothing on the page matches.")
        with self.search_slot():
            _, query = validated_query({"query": search.body()["query"], "include": ["regions"]})
            self.charge(costs.of_search({"include": ["regions"]}, query))
            regions = explain_page(self.caller, query, _number(params.get("page_id", "")))
        return JsonResponse(represent_regions(regions) or {})


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise NotFound("The address names no page.")
    return int(text)


def _unlike_url(search: SearchInput, number: int, *, collection: str, document: str) -> str:
    """Return the URL of the same search without pages like this one."""
    page = {"document_name": document, "collection_name": collection, "page_number": number}
    params = search.kept()
    params.appendlist("part", json.dumps({"page": page, "weight": _UNLIKE}, ensure_ascii=False, separators=(",", ":")))
    return f"{reverse('console-search')}?{params.urlencode()}"
