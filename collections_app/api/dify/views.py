"""The endpoint that Dify calls for an external knowledge base."""

import json
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import presented_key
from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.api import search_out
from collections_app.api.dify import bodies, conditions
from collections_app.api.search import SearchesPages
from collections_app.api.validation import validated
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.errors import CollectionNotFound
from collections_app.search import TextQuery
from paliapi.errors import Forbidden
from paliapi.http.problems import STATUS

_MALFORMED_AUTHORIZATION = 1001
_AUTHORIZATION_FAILED = 1002
_KNOWLEDGE_NOT_FOUND = 2001
_UNAUTHORIZED = 401


class DifyRetrieval(SearchesPages):
    costs: ClassVar = {"POST": 1}
    scopes: ClassVar = {"POST": "search"}
    reading_methods: ClassVar = frozenset({"POST", "OPTIONS"})
    searching_methods: ClassVar = frozenset({"POST"})
    extra_statuses: ClassVar = {"POST": (404,)}

    @extend_schema(
        operation_id="difyRetrieval",
        tags=["search"],
        summary="Retrieve pages for Dify",
        description=(
            "The external-knowledge API of Dify: register `/v1/dify` as its endpoint, and the name of a collection as "
            "the external knowledge ID. Costs what the same search costs. Errors also have `error_code` (1001: no "
            "`Authorization` header or a malformed one; 1002: the key is not valid or lacks the scope `search`, with "
            "status 403 for both; 2001: there is no such collection, 404; otherwise the HTTP status) and `error_msg`."
        ),
        request=bodies.RetrievalIn,
        responses=bodies.RetrievalOut,
        examples=[bodies.QUESTION, bodies.RECORDS],
    )
    def post(self, request: Request) -> Response:
        body = validated(bodies.RetrievalIn, request)
        filter_json = conditions.filter_json(body["metadata_condition"]) if "metadata_condition" in body else None
        search_body = _search_body(body, filter_json)
        name = body["knowledge_id"]
        if name != ALL_COLLECTIONS:
            with acting_for(self.caller.owner_id) as tx:
                catalogue.find_collection(tx, self.caller, name)
        result = self.run_search(search_body, TextQuery(body["query"], at="/query"), filter_json=filter_json)
        headers = search_out.server_timing(result.receipt)
        return Response(bodies.represent_records(result.hits, request), headers=headers)

    def handle_exception(self, exc: Exception) -> Any:
        """Return the response for an error, with the members and the status that Dify expects."""
        return self._for_dify(super().handle_exception(exc), exc)

    def _for_dify(self, response: HttpResponse, exc: Exception) -> HttpResponse:
        body, code = json.loads(response.content), response.status_code
        if response.status_code in (_UNAUTHORIZED, STATUS[Forbidden]):
            # Dify's form refuses an API only if its test request gets this status.
            response.status_code = body["status"] = STATUS[Forbidden]
            code = _AUTHORIZATION_FAILED if presented_key(self.request) else _MALFORMED_AUTHORIZATION
        elif isinstance(exc, CollectionNotFound):
            code = _KNOWLEDGE_NOT_FOUND
        response.content = json.dumps({**body, "error_code": code, "error_msg": body["detail"]}).encode()
        return response


def _search_body(body: dict[str, Any], filter_json: conditions.FilterJson | None) -> dict[str, Any]:
    """Return the request as one of the search endpoint."""
    settings = {name: value for name, value in body["retrieval_setting"].items() if value is not None}
    threshold = settings.pop("score_threshold", 0)
    return {
        "collection_name": body["knowledge_id"],
        "include": ["text"],
        **settings,
        **({"min_score": threshold} if threshold else {}),
        **({"query_filter": conditions.parse(filter_json)} if filter_json else {}),
    }
