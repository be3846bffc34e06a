"""The tools that read pages and lists."""

import base64
from io import BytesIO

import pytest
from connections import images, links, refusal, texts
from fake_paliapi import FakeAPI, collection, document
from mcp import Client
from PIL import Image

pytestmark = pytest.mark.anyio

PAGE_1 = {"document": "sea/lights.pdf", "page": 1}


async def test_page_has_text_image_and_link(api: FakeAPI, client: Client) -> None:
    result = await client.call_tool("get_page", {**PAGE_1, "collection": "reports"})
    [text] = texts(result)
    assert 'Document "sea/lights.pdf", page 1, collection "reports".' in text
    assert "\nHow far a light is seen\n" in text
    assert base64.b64decode(images(result)[0].data) == api.image
    assert links(result) == ["paliapi://page/reports/sea%2Flights.pdf/1/image"]
    assert images(await client.call_tool("get_page", {**PAGE_1, "image": False})) == []


async def test_region_of_a_page_is_enlarged(api: FakeAPI, client: Client) -> None:
    result = await client.call_tool("get_page", {**PAGE_1, "region": [0.5, 0, 1, 0.5]})
    part = Image.open(BytesIO(base64.b64decode(images(result)[0].data)))
    assert part.size == (425, 550)
    assert min(part.convert("L").tobytes()) >= 250
    for wrong in ([0.5, 0, 0.5, 1], [0, 0, 1], [0, 0, 2, 1]):
        assert "- region" in refusal(await client.call_tool("get_page", {**PAGE_1, "region": wrong}))


async def test_long_text_is_read_in_parts(api: FakeAPI, client: Client) -> None:
    api.texts = {1: "a" * 24_000 + "b" * 10, 2: ""}
    first = texts(await client.call_tool("get_page", {**PAGE_1, "image": False}))[0]
    assert "continue with text_from=24000" in first
    second = texts(await client.call_tool("get_page", {**PAGE_1, "image": False, "text_from": 24_000}))[0]
    assert "\nbbbbbbbbbb\n" in second
    assert "cut" not in second
    beyond = await client.call_tool("get_page", {**PAGE_1, "text_from": 24_010})
    assert refusal(beyond) == "The text of this page has only 24010 characters."
    assert "No text is known" in texts(await client.call_tool("get_page", {**PAGE_1, "page": 2}))[0]


async def test_lists_are_structured_and_paged(api: FakeAPI, client: Client) -> None:
    api.collections = [collection(f"Part {number}") for number in range(5)]
    result = await client.call_tool("list_collections", {"limit": 2, "skip": 1, "name_contains": "part"})
    assert result.structured_content == {
        "collections": [{"name": f"Part {number}", "documents": 2, "metadata": "{}"} for number in (1, 2)],
        "more": True,
    }
    assert "continue with skip=3" in texts(result)[0]
    last = await client.call_tool("list_collections", {"limit": 2, "skip": 3})
    assert (last.structured_content["more"], len(last.structured_content["collections"])) == (False, 2)
    api.documents = [document(metadata={"note": "x" * 5_000}), document("b", collection_name="drafts")]
    everywhere = (await client.call_tool("list_documents", {})).structured_content
    assert [one["name"] for one in everywhere["documents"]] == ["sea/lights.pdf", "b"]
    assert len(everywhere["documents"][0]["metadata"]) == 200
    drafts = (await client.call_tool("list_documents", {"collection": "drafts"})).structured_content
    assert [one["name"] for one in drafts["documents"]] == ["b"]
    api.max_list = 5
    assert (await client.call_tool("list_documents", {})).structured_content == everywhere


@pytest.mark.parametrize(
    ("status", "note"),
    [("ready", "can be searched"), ("embedding", "still being processed"), ("failed", "Tell the user")],
)
async def test_status_says_what_it_means(api: FakeAPI, client: Client, status: str, note: str) -> None:
    error = {"code": "file_damaged", "detail": "The file is damaged."} if status == "failed" else None
    api.documents = [document(status=status, error=error, pages_done=1)]
    result = await client.call_tool("document_status", {"document": "sea/lights.pdf"})
    assert note in texts(result)[0]
    assert result.structured_content["error"] == (error and "file_damaged: The file is damaged.")
    assert (result.structured_content["status"], result.structured_content["pages_done"]) == (status, 1)
