"""Errors of the API, in words that a model can act on."""

import pytest
from connections import over_http, refusal
from fake_paliapi import FakeAPI, problem, served
from mcp import Client
from starlette.responses import Response

from paliapi_mcp.http import http_app
from paliapi_mcp.server import build_server
from paliapi_mcp.settings import Settings

pytestmark = pytest.mark.anyio

PLACES = [{"pointer": "/query_filter/op", "code": "filter_invalid", "detail": "Unknown operator."}]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (problem(404, "collection_not_found", "There is no collection 'x'."), "Call list_collections"),
        (problem(409, "document_ambiguous", "Several."), "Name the collection."),
        (problem(422, "filter_invalid", "Invalid filter.", errors=PLACES), "- query_filter/op: Unknown operator."),
        (problem(403, "scope_missing", "This key lacks the scope."), "Do not try again"),
        (problem(413, "answer_too_large", "Too large."), "Lower top_k"),
        (problem(500, "internal_error", "Internal server error."), "Request id: 0af7651916cd43dd"),
        (Response("<html>" * 10_000, 502, media_type="text/html"), "tell the user"),
        (Response("{", 200, media_type="application/json"), "cannot be understood"),
        (Response('{"results": 3}', 200, media_type="application/json"), "ell the user"),
        (Response('{"results": [{"page_number": "x"}]}', 200, media_type="application/json"), "ell the user"),
    ],
)
async def test_failures_say_what_to_do_next(api: FakeAPI, client: Client, failure: Response, said: str) -> None:
    api.failure = failure
    text = refusal(await client.call_tool("search", {"query": "x"}))
    assert said in text
    assert len(text) < 1_500


async def test_a_hostile_message_is_cleaned_and_cut(api: FakeAPI, client: Client) -> None:
    api.failure = problem(409, "conflict", "line\n\u202eline" + "x" * 10_000)
    text = refusal(await client.call_tool("search", {"query": "x"}))
    assert text.startswith("line line")
    assert len(text) < 600


async def test_a_server_that_is_down_is_named() -> None:
    app = http_app(build_server(Settings(url="http://127.0.0.1:9")), host="127.0.0.1", allowed_hosts=[])
    with served(app) as url:
        async with over_http(url) as client:
            text = refusal(await client.call_tool("search", {"query": "x"}))
    assert text.startswith("PaliAPI at http://127.0.0.1:9 cannot be reached.")
