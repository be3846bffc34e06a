"""The tool and the pipe of Open WebUI, loaded as it does, against a running PaliAPI."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "open-webui" / "tests"))
from loading import Events, loaded

COLLECTION = "open-webui"


def test_tool_and_pipe_answer_with_pages(sample: Path) -> None:
    url, key = os.environ["PALIAPI_URL"], os.environ["PALIAPI_API_KEY"]
    with httpx.Client(base_url=f"{url}/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=120) as api:
        form = {"name": "lighthouses", "collection_name": COLLECTION, "wait": "true"}
        with sample.open("rb") as file:
            assert api.post("documents/upsert-document/", data=form, files={"file": file}).status_code == 201
        try:
            valves = {"paliapi_url": url, "paliapi_api_key": key}
            _tool(loaded("paliapi_tool.py", collection_name=COLLECTION, **valves))
            _pipe(loaded("paliapi_pipe.py", **valves))
        finally:
            api.delete(f"collections/{COLLECTION}/")


def _tool(tool: Any) -> None:
    assert COLLECTION in asyncio.run(tool.list_collections()).splitlines()
    events = Events()
    text = asyncio.run(tool.search_documents("How far is a light seen?", __event_emitter__=events))
    assert "[1] lighthouses, page 3" in text
    citation = events.of("citation")[0]
    assert "How far a light is seen" in citation["document"][0]
    assert httpx.get(citation["source"]["url"]).headers["Content-Type"].startswith("image/")


def _pipe(pipe: Any) -> None:
    async def answer() -> str:
        body = {"model": f"paliapi.{COLLECTION}", "messages": [{"role": "user", "content": "How far is a light seen?"}]}
        return "".join([text async for text in pipe.pipe(body)])

    assert {"id": COLLECTION, "name": f"PaliAPI: {COLLECTION}"} in asyncio.run(pipe.pipes())
    text = asyncio.run(answer())
    assert text.index("lighthouses, page 3") < text.index("lighthouses, page 1")
