"""The tools that list collections and documents, and say how far an upload is."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypeVar

from mcp_types import CallToolResult
from paliapi_client import InvalidRequest
from paliapi_client.models.collections import Collection
from paliapi_client.models.documents import Document
from pydantic import Field

from paliapi_mcp.answers import structured
from paliapi_mcp.arguments import VALID_TEXT, Arguments, Name
from paliapi_mcp.tools.tool import Call, ToolSpec, reads
from paliapi_mcp.untrusted import as_json, clean, shortened

_MAX_METADATA = 200
# A list is read from its beginning, so this bounds the work of one call.
_MAX_ROWS = 20_000
_PAGE_SIZE = 200

R = TypeVar("R", Collection, Document)


class _Page(Arguments):
    name_contains: Annotated[str, Field(max_length=255, description="Only names with this in them."), VALID_TEXT] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    skip: Annotated[int, Field(ge=0, le=_MAX_ROWS, description="How many to skip.")] = 0


class ListCollectionsArguments(_Page):
    pass


class ListDocumentsArguments(_Page):
    collection: Annotated[Name, Field(description="Name of the collection, or `all`.")] = "all"


class DocumentStatusArguments(Arguments):
    document: Annotated[Name, Field(description="Name of the document.")]
    collection: Annotated[Name, Field(description="Name of its collection; default: wherever it is.")] = "all"


async def _list_collections(call: Call, arguments: ListCollectionsArguments) -> CallToolResult:
    rows, more = await _some(lambda size: call.client.collections.list(page_size=size), arguments)
    collections = [
        {
            "name": clean(row.name),
            "documents": row.num_documents,
            "metadata": as_json(row.metadata, limit=_MAX_METADATA),
        }
        for row in rows
    ]
    return structured({"collections": collections, "more": more}, note=_next(arguments, more=more))


async def _list_documents(call: Call, arguments: ListDocumentsArguments) -> CallToolResult:
    rows, more = await _some(
        lambda size: call.client.documents.list(collection_name=arguments.collection, page_size=size), arguments
    )
    documents = [
        {
            "name": clean(row.name),
            "collection": clean(row.collection_name),
            "pages": row.num_pages,
            "status": row.status,
            "metadata": as_json(row.metadata, limit=_MAX_METADATA),
        }
        for row in rows
    ]
    return structured({"documents": documents, "more": more}, note=_next(arguments, more=more))


async def _some(listing: Callable[[int | None], AsyncIterator[R]], arguments: _Page) -> tuple[list[R], bool]:
    """Return the rows of one answer, and whether there are more."""
    # As many at a time as the answer needs, unless it is not known how many have to be looked at.
    size = _PAGE_SIZE if arguments.name_contains else min(arguments.skip + arguments.limit + 1, _PAGE_SIZE)
    try:
        return await _chosen(listing(size), arguments)
    except InvalidRequest as error:
        if error.code != "invalid_limit":
            raise
        return await _chosen(listing(None), arguments)  # this server allows only smaller pages


async def _chosen(rows: AsyncIterator[R], arguments: _Page) -> tuple[list[R], bool]:
    wanted = arguments.name_contains.casefold()
    chosen: list[R] = []
    seen = matching = 0
    async for row in rows:
        seen += 1
        if wanted in row.name.casefold():
            matching += 1
            if len(chosen) == arguments.limit:
                return chosen, True
            if matching > arguments.skip:
                chosen.append(row)
        if seen >= _MAX_ROWS + arguments.limit:
            return chosen, True
    return chosen, False


def _next(arguments: _Page, *, more: bool) -> str:
    return (
        f"There are more: continue with skip={arguments.skip + arguments.limit}, or use name_contains." if more else ""
    )


async def _document_status(call: Call, arguments: DocumentStatusArguments) -> CallToolResult:
    document = await call.client.documents.get(arguments.document, collection_name=arguments.collection)
    error = document.error
    status: dict[str, Any] = {
        "name": clean(document.name),
        "collection": clean(document.collection_name),
        "status": document.status,
        "searchable_pages": document.num_pages,
        "pages_done": document.pages_done,
        "pages_total": document.pages_total,
        "pages_without_text": document.pages_without_text,
        "waiting_for": document.waiting_for,
        "error": None if error is None else shortened(clean(f"{error.code}: {error.detail}"), 500),
    }
    return structured(status, note=_meaning(document.status))


def _meaning(status: str) -> str:
    if status == "ready":
        return "The document can be searched."
    if status == "failed":
        return "Processing failed for the reason in `error`. Tell the user."
    if status == "cancelled":
        return "Processing was cancelled."
    return "It is still being processed. Ask again in some seconds, not at once."


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_MAYBE_NUMBER = {"type": ["integer", "null"]}
_MAYBE_TEXT = {"type": ["string", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


LIST_COLLECTIONS = ToolSpec(
    name="list_collections",
    title="List collections",
    description="List the collections of documents that can be searched.",
    arguments=ListCollectionsArguments,
    run=_list_collections,
    scopes=frozenset({"read"}),
    annotations=reads(),
    output=_object(collections=_list_of(name=_TEXT, documents=_NUMBER, metadata=_TEXT), more={"type": "boolean"}),
)
LIST_DOCUMENTS = ToolSpec(
    name="list_documents",
    title="List documents",
    description="List the documents of a collection, or of all. To find out what they say, use search.",
    arguments=ListDocumentsArguments,
    run=_list_documents,
    scopes=frozenset({"read"}),
    annotations=reads(),
    output=_object(
        documents=_list_of(name=_TEXT, collection=_TEXT, pages=_NUMBER, status=_TEXT, metadata=_TEXT),
        more={"type": "boolean"},
    ),
)
DOCUMENT_STATUS = ToolSpec(
    name="document_status",
    title="Status of a document",
    description="Say whether a document is processed and can be searched, how many pages it has, or why it failed.",
    arguments=DocumentStatusArguments,
    run=_document_status,
    scopes=frozenset({"read"}),
    annotations=reads(),
    output=_object(
        name=_TEXT,
        collection=_TEXT,
        status=_TEXT,
        searchable_pages=_NUMBER,
        pages_done=_NUMBER,
        pages_total=_MAYBE_NUMBER,
        pages_without_text=_MAYBE_NUMBER,
        waiting_for=_MAYBE_TEXT,
        error=_MAYBE_TEXT,
    ),
)
