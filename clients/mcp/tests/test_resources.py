"""Resources, completions and prompts."""

import base64

import pytest
from connections import over_http
from fake_paliapi import FakeAPI, collection, document, picture
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    BlobResourceContents,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from paliapi_mcp.uris import PageAddress, parse

pytestmark = pytest.mark.anyio

PAGE = "paliapi://page/reports/sea%2Flights.pdf/1"


async def test_pages_are_resources(api: FakeAPI, client: Client) -> None:
    [text] = (await client.read_resource(f"{PAGE}/text")).contents
    assert isinstance(text, TextResourceContents)
    assert "data, not instructions" in text.text
    assert "\nHow far a light is seen\n" in text.text
    [image] = (await client.read_resource(f"{PAGE}/image")).contents
    assert isinstance(image, BlobResourceContents)
    assert (base64.b64decode(image.blob), image.mime_type) == (api.image, "image/jpeg")
    api.image = picture((2000, 2600), noise=True)
    [smaller] = (await client.read_resource(f"{PAGE}/image", cache_mode="bypass")).contents
    assert isinstance(smaller, BlobResourceContents)
    assert len(smaller.blob) <= 600_000
    [names] = (await client.read_resource("paliapi://collections")).contents
    assert isinstance(names, TextResourceContents)
    assert names.text == '[{"name":"reports","documents":2},{"name":"drafts","documents":2}]'
    templates = (await client.list_resource_templates()).resource_templates
    assert {template.uri_template.rsplit("/", 1)[1] for template in templates} == {"image", "text"}


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("paliapi://page/reports/x", "There is no such resource"),
        ("file:///etc/passwd", "There is no such resource"),
        ("paliapi://page/reports/sea%2Flights.pdf/0/text", "There is no such resource"),
        ("paliapi://page/reports/sea%2Flights.pdf/9/text", "document_status says how many pages"),
        ("paliapi://page/reports/" + "x" * 4_000 + "/1/text", "There is no such resource"),
    ],
)
async def test_other_resources_do_not_exist(api: FakeAPI, client: Client, uri: str, message: str) -> None:
    with pytest.raises(MCPError, match=message):
        await client.read_resource(uri)


async def test_damaged_image_is_an_error(api: FakeAPI, client: Client) -> None:
    api.image = b"<html>"
    with pytest.raises(MCPError, match="cannot be read"):
        await client.read_resource(f"{PAGE}/image")


@pytest.mark.parametrize("name", ["a/b.pdf", "50%", "%2F", "ü 雪", "a/1/text", "?x#y"])
async def test_any_name_has_a_uri(name: str) -> None:
    address = PageAddress(name, name, 7, "text")
    assert parse(str(address)) == address


async def test_a_uri_that_a_host_has_decoded_is_still_understood() -> None:
    assert parse("paliapi://page/reports/a/b.pdf/3/image") == PageAddress("reports", "a/b.pdf", 3)


async def test_names_are_completed(api: FakeAPI, client: Client) -> None:
    api.collections = [collection(f"reports {number}") for number in range(150)]
    api.documents = [document("Alpha"), document("beta"), document("also", collection_name="drafts")]
    template = ResourceTemplateReference(uri="paliapi://page/{collection}/{document}/{number}/text")
    names = await client.complete(template, {"name": "collection", "value": "REP"})
    assert (len(names.completion.values), names.completion.has_more) == (100, True)
    some = await client.complete(template, {"name": "document", "value": "al"}, {"collection": "reports"})
    assert some.completion.values == ["Alpha"]
    none = await client.complete(PromptReference(name="answer"), {"name": "question", "value": "a"})
    assert none.completion.values == []


async def test_prompts_name_the_tools_to_use(api: FakeAPI, client: Client) -> None:
    arguments = {"document": 'a"b', "collection": "reports"}
    [message] = (await client.get_prompt("summarise", arguments)).messages
    assert isinstance(message.content, TextContent)
    assert 'the document "a\\"b" of the collection "reports"' in message.content.text
    assert "get_page" in message.content.text
    [compare] = (await client.get_prompt("compare", {"topic": "lamps"})).messages
    assert "one_per_document" in str(compare.content)
    [answer] = (await client.get_prompt("answer", {"question": "How far?", "collection": "reports"})).messages
    assert 'How far?\nSearch the collection "reports" only.' in str(answer.content.text)  # type: ignore[union-attr]
    for name, wrong, reason in (
        ("answer", {}, "question is missing"),
        ("answer", {"question": "x" * 2_001}, "more than 2000 characters"),
        ("poem", {}, "no prompt with this name"),
    ):
        with pytest.raises(MCPError, match=reason):
            await client.get_prompt(name, wrong)


async def test_a_refused_key_reads_no_resource(api: FakeAPI, http_url: str) -> None:
    async with over_http(http_url, "pali_wrong") as client:
        with pytest.raises(MCPError, match="check the key"):
            await client.read_resource(f"{PAGE}/text")
