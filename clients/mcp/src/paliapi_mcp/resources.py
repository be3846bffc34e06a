"""Resources: the list of collections, and the text and the image of every page."""

from collections.abc import AsyncIterator
from typing import TypeVar

from mcp_types import (
    BlobResourceContents,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)
from paliapi_client import AsyncClient

from paliapi_mcp import pictures, uris
from paliapi_mcp.settings import Settings
from paliapi_mcp.untrusted import Quarantine, as_json, clean

_MAX_SUGGESTIONS = 100  # as the protocol says
_MAX_ROWS = 2_000

R = TypeVar("R")

RESOURCES = [
    Resource(
        uri=uris.COLLECTIONS,
        name="collections",
        title="Collections",
        description="Names of the collections, and how many documents they have",
        mime_type="application/json",
    )
]
TEMPLATES = [
    ResourceTemplate(
        uri_template=uris.IMAGE_TEMPLATE,
        name="page-image",
        title="Image of a page",
        description="A page of a document, as a picture",
    ),
    ResourceTemplate(
        uri_template=uris.TEXT_TEMPLATE,
        name="page-text",
        title="Text of a page",
        description="A page of a document, as text",
        mime_type="text/plain",
    ),
]


class NoResource(Exception):
    """There is no resource with this URI."""


async def read(client: AsyncClient, settings: Settings, uri: str) -> ReadResourceResult:
    if uri == uris.COLLECTIONS:
        return await _collections(client, uri)
    address = uris.parse(uri)
    if address is None:
        raise NoResource
    if address.part == "text":
        page = await client.pages.get(address.document, address.number, collection_name=address.collection)
        quarantine = Quarantine()
        text = f"{quarantine.notice}\n{quarantine.enclose(page.text[: settings.budget.characters])}"
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, text=text, mime_type="text/plain")])
    image = await client.pages.image(address.document, address.number, collection_name=address.collection)
    picture = await pictures.fit(image, max_kb=settings.budget.image_kb)
    if picture is None:
        raise pictures.Unreadable
    return ReadResourceResult(contents=[BlobResourceContents(uri=uri, blob=picture.data, mime_type=picture.mime_type)])


async def _collections(client: AsyncClient, uri: str) -> ReadResourceResult:
    rows = [
        {"name": clean(row.name), "documents": row.num_documents}
        async for row in _first(client.collections.list(), 1_000)
    ]
    text = as_json(rows, limit=60_000)
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, text=text, mime_type="application/json")])


async def complete(client: AsyncClient, params: CompleteRequestParams) -> CompleteResult:
    """Suggest names of collections and documents for the arguments of prompts and of URIs."""
    start = params.argument.value.casefold()[:255]
    names: list[str] = []
    if params.argument.name == "collection":
        names = [row.name async for row in _first(client.collections.list(), _MAX_ROWS)]
    elif params.argument.name == "document":
        known = (params.context.arguments if params.context else None) or {}
        rows = client.documents.list(collection_name=known.get("collection") or "all")
        names = [row.name async for row in _first(rows, _MAX_ROWS)]
    matching = [clean(name) for name in names if name.casefold().startswith(start)]
    shown = matching[:_MAX_SUGGESTIONS]
    return CompleteResult(completion=Completion(values=shown, has_more=len(matching) > len(shown)))


async def _first(rows: AsyncIterator[R], limit: int) -> AsyncIterator[R]:
    count = 0
    async for row in rows:
        yield row
        count += 1
        if count == limit:
            return
