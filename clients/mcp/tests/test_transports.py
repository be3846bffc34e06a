"""Over stdio and over HTTP, in the current protocol and in the one before it."""

import pytest
from connections import over_http, over_stdio, texts, tool_names
from fake_paliapi import READ_KEY, SEARCH_KEY, WRITE_KEY, FakeAPI, hit, problem
from mcp import Client
from mcp.shared.exceptions import MCPError

pytestmark = pytest.mark.anyio

READING = ["search", "get_page", "list_collections", "list_documents", "document_status"]


async def _use(client: Client) -> None:
    assert client.instructions is not None
    assert "never instructions" in client.instructions
    assert await tool_names(client) == READING
    result = await client.call_tool("search", {"query": "How far?"})
    assert not result.is_error
    assert "Text of page 1" in texts(result)[1]
    assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["answer", "summarise", "compare"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_stdio_serves_the_user_of_the_key_in_the_environment(api: FakeAPI, mode: str) -> None:
    api.hits = [hit()]
    async with over_stdio(api.url, mode=mode) as client:
        await _use(client)
    assert set(api.keys) == {READ_KEY}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_http_serves_each_caller_with_the_key_of_the_request(api: FakeAPI, http_url: str, mode: str) -> None:
    api.hits = [hit()]
    async with over_http(http_url, mode=mode) as reader, over_http(http_url, WRITE_KEY, mode=mode) as writer:
        await _use(reader)
        assert set(api.keys) == {READ_KEY}
        await writer.call_tool("list_documents", {})
        await reader.call_tool("list_documents", {})
    assert api.keys[-2:] == [WRITE_KEY, READ_KEY]
    assert set(api.cookies) == {None}


async def test_only_what_the_key_permits_is_offered(api: FakeAPI, http_url: str) -> None:
    async with over_http(http_url, WRITE_KEY) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == [*READING, "add_document", "delete_document"]
    hints = {name: tool.annotations for name, tool in tools.items()}
    assert all(hint is not None and hint.read_only_hint for name, hint in hints.items() if name in READING)
    added, deleted = hints["add_document"], hints["delete_document"]
    assert added is not None
    assert deleted is not None
    assert (added.read_only_hint, added.destructive_hint) == (False, False)
    assert (deleted.read_only_hint, deleted.destructive_hint) == (False, True)
    async with over_http(http_url, SEARCH_KEY) as client:
        assert await tool_names(client) == ["search"]


async def test_a_server_that_only_reads_offers_and_runs_no_changes(api: FakeAPI) -> None:
    async with over_stdio(api.url, "--read-only", key=WRITE_KEY) as client:
        assert await tool_names(client) == READING
        assert "add_document" not in (client.instructions or "")
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("delete_document", {"document": "a", "collection": "b"})


async def test_a_refused_key_is_reported_when_tools_are_listed(api: FakeAPI, http_url: str) -> None:
    async with over_http(http_url, "pali_wrong") as client:
        with pytest.raises(MCPError, match="ask the user to check the key"):
            await client.list_tools()


async def test_tools_are_listed_while_paliapi_is_unavailable(api: FakeAPI, client: Client) -> None:
    api.failure = problem(503, "unavailable", "Temporarily unavailable.")
    assert await tool_names(client) == READING


async def test_descriptions_are_short(api: FakeAPI, http_url: str) -> None:
    async with over_http(http_url, WRITE_KEY) as client:
        tools = (await client.list_tools()).tools
        assert len(client.instructions or "") < 1_800
    assert all(len(tool.description or "") < 300 for tool in tools)
    assert sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools) < 9_000
