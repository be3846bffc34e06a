"""The pipe, loaded and called as Open WebUI does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from conftest import HIT, Server
from loading import Events, frontmatter, loaded

FILE = "paliapi_pipe.py"


def pipe(server: Server, **valves: Any) -> Any:
    return loaded(FILE, **{"paliapi_url": server.url, "paliapi_api_key": "pali_admin", **valves})


def answer(instance: Any, model: str = "paliapi.reports", content: Any = "tallest?", **options: Any) -> str:
    async def collect() -> str:
        body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
        return "".join([text async for text in instance.pipe(body, **options)])

    return asyncio.run(collect())


def test_file_describes_itself() -> None:
    assert frontmatter(FILE)["requirements"] == "httpx"


def test_each_collection_is_a_model(server: Server) -> None:
    assert [model["id"] for model in asyncio.run(pipe(server).pipes())] == ["all", "reports", "a.b"]
    assert [model["id"] for model in asyncio.run(pipe(server, paliapi_api_key="").pipes())] == ["all"]


def test_pages_are_shown_and_cited(server: Server) -> None:
    events = Events()
    text = answer(pipe(server, public_url="https://pages.example"), __event_emitter__=events)
    assert "[![page 3](https://pages.example/v1/files/thumbnails/token)]" in text
    assert r"annual \[2026\].pdf, page 3" in text
    assert events.of("citation")[0]["source"]["name"] == "annual [2026].pdf, page 3"
    assert server.requests[0][2]["collection_name"] == "reports"


def test_name_of_a_collection_may_have_dots_and_a_message_several_parts(server: Server) -> None:
    parts = [{"type": "text", "text": "tallest?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    answer(pipe(server), model="paliapi.a.b", content=parts)
    assert server.requests[0][2]["collection_name"] == "a.b"
    assert server.requests[0][2]["query"] == "tallest?"


def test_model_gets_the_pages_and_its_words_are_streamed(server: Server) -> None:
    words = [{"choices": [{"delta": {"content": word}}]} for word in ("At ", "Jeddah ", "[1].")]
    lines = [": comment", *(f"data: {json.dumps(word)}" for word in words), "data: {broken", "data: [DONE]"]
    server.replies_with("/v1/chat/completions", "\n\n".join(lines).encode())
    instance = pipe(server, model_url=f"{server.url}/v1", model="vision", model_api_key="sk-model")
    assert answer(instance) == "At Jeddah [1]."
    (_, key, search), (_, model_key, body) = server.requests
    assert (key, model_key) == ("Bearer pali_admin", "Bearer sk-model")
    assert search["images"] == "base64"
    images = [part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    assert images == [f"data:image/png;base64,{HIT['img_base64']}"]


def test_failures_are_explained_and_never_raised(server: Server) -> None:
    server.replies_with("/v1/chat/completions", b"", 500)
    assert "status 500" in answer(pipe(server, model_url=f"{server.url}/v1", model="vision"))
    assert "Ask a question" in answer(pipe(server), content="")
    server.replies_with("/v1/search/", {"results": []})
    assert answer(pipe(server)) == "No page matches."
    server.replies_with("/v1/search/", {"results": [{}]})
    assert "unexpected response" in answer(pipe(server))
    server.replies_with("/v1/search/", {"detail": "There is no such collection."}, 404)
    assert "no such collection" in answer(pipe(server))
    assert "not reachable" in answer(pipe(server, paliapi_url="http://127.0.0.1:9"))
