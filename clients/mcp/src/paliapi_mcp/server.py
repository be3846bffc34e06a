"""The server: which tools, resources and prompts there are, for whom, and what happens when they are used."""

import logging
from importlib.metadata import version
from typing import Any

import httpx
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)
from paliapi_client import NotFound, PaliAPIError, Unauthorized
from pydantic import ValidationError

from paliapi_mcp import pictures, prompts, resources
from paliapi_mcp.answers import failure
from paliapi_mcp.arguments import explained
from paliapi_mcp.callers import Connect, Context, NoKey, connections, connector
from paliapi_mcp.failures import Refused, advice
from paliapi_mcp.instructions import instructions
from paliapi_mcp.settings import Settings
from paliapi_mcp.tools.changes import change_tools
from paliapi_mcp.tools.listings import DOCUMENT_STATUS, LIST_COLLECTIONS, LIST_DOCUMENTS
from paliapi_mcp.tools.pages import get_page_tool
from paliapi_mcp.tools.search import search_tool
from paliapi_mcp.tools.tool import Call, ToolSpec

logger = logging.getLogger(__name__)

_NO_KEY = "This request has no API key. Ask the user to set PALIAPI_API_KEY, or the Authorization header over HTTP."
_MAX_COMPLETED = 255


def build_server(settings: Settings) -> Server[httpx.AsyncClient]:
    """Return the server, for stdio if the settings have a key, else for HTTP."""
    handlers = _Handlers(settings, connector(settings))
    return Server(
        "paliapi",
        title="PaliAPI",
        version=version("paliapi-mcp"),
        instructions=instructions(read_only=settings.read_only),
        lifespan=connections,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_resource_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )


class _Handlers:
    def __init__(self, settings: Settings, connect: Connect) -> None:
        self._settings = settings
        self._connect = connect
        tools: list[ToolSpec[Any]] = [
            search_tool(settings.budget),
            get_page_tool(settings.budget),
            LIST_COLLECTIONS,
            LIST_DOCUMENTS,
            DOCUMENT_STATUS,
            *([] if settings.read_only else change_tools(settings)),
        ]
        self._tools = {tool.name: tool for tool in tools}

    async def list_tools(self, context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        """List what the key permits. While PaliAPI cannot say that, list what only reads, so that hosts can start."""
        try:
            async with self._connect(context) as client:
                scopes = frozenset((await client.me()).scopes)
        except (NoKey, Unauthorized) as error:
            raise MCPError(code=INVALID_PARAMS, message=self._explained(error)) from error
        except PaliAPIError:
            scopes = frozenset({"read", "search"})
        offered = [tool for tool in self._tools.values() if "admin" in scopes or tool.scopes <= scopes]
        return ListToolsResult(tools=[tool.listed() for tool in offered], cache_scope="private")

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool; there are {', '.join(self._tools)}.")
        try:
            arguments = tool.arguments.model_validate(params.arguments or {})
        except ValidationError as error:
            return failure(explained(error))
        try:
            async with self._connect(context) as client:
                return await tool.run(Call(client, self._settings), arguments)
        except (NoKey, PaliAPIError, Refused) as error:
            return failure(self._explained(error))
        except Exception:
            logger.exception("The tool %s failed.", tool.name)
            return failure("paliapi-mcp has failed; its log says why. Do not try again; tell the user.")

    async def list_resources(self, _context: Context, _params: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult(resources=resources.RESOURCES)

    async def list_resource_templates(
        self, _context: Context, _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=resources.TEMPLATES)

    async def read_resource(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        try:
            async with self._connect(context) as client:
                return await resources.read(client, self._settings, str(params.uri))
        except resources.NoResource:
            message = f"There is no such resource; URIs look like {', '.join(_URIS)}."
            raise MCPError(code=INVALID_PARAMS, message=message) from None
        except pictures.Unreadable:
            raise MCPError(code=INTERNAL_ERROR, message="The image of this page cannot be read.") from None
        except (NoKey, NotFound, Unauthorized) as error:
            raise MCPError(code=INVALID_PARAMS, message=self._explained(error)) from error
        except PaliAPIError as error:
            raise MCPError(code=INTERNAL_ERROR, message=self._explained(error)) from error

    async def list_prompts(self, _context: Context, _params: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult(prompts=prompts.PROMPTS)

    async def get_prompt(self, _context: Context, params: GetPromptRequestParams) -> GetPromptResult:
        try:
            return prompts.compose(params.name, params.arguments or {})
        except prompts.BadPrompt as error:
            raise MCPError(code=INVALID_PARAMS, message=str(error)) from None

    async def complete(self, context: Context, params: CompleteRequestParams) -> CompleteResult:
        try:
            async with self._connect(context) as client:
                return await resources.complete(client, params)
        except (NoKey, PaliAPIError) as error:
            raise MCPError(code=INTERNAL_ERROR, message=self._explained(error)) from error

    def _explained(self, error: NoKey | PaliAPIError | Refused) -> str:
        if isinstance(error, NoKey):
            return _NO_KEY
        return str(error) if isinstance(error, Refused) else advice(error, url=self._settings.url)


_URIS = (resources.RESOURCES[0].uri, *(template.uri_template for template in resources.TEMPLATES))
