"""The tools that change documents. They are offered to keys that may write."""

import base64
import binascii
from pathlib import PurePosixPath
from typing import Annotated, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from mcp_types import CallToolResult, ToolAnnotations
from paliapi_client import NotFound
from pydantic import AfterValidator, Field

from paliapi_mcp import folders
from paliapi_mcp.answers import structured
from paliapi_mcp.arguments import VALID_TEXT, Arguments, JsonObject, Name
from paliapi_mcp.failures import Refused
from paliapi_mcp.settings import Settings
from paliapi_mcp.tools.tool import Call, ToolSpec
from paliapi_mcp.untrusted import clean, quoted

MAX_FILE_BYTES = 12_000_000
_MAX_BASE64 = MAX_FILE_BYTES * 4 // 3 + 4


def _is_web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must start with https:// or http://")
    return url


class AddDocumentArguments(Arguments):
    collection: Annotated[Name, Field(description="Where to add it; created if it does not exist.")]
    name: Annotated[Name | None, Field(description="Default: the name of the file.")] = None
    url: Annotated[
        str,
        Field(max_length=4_000, description="Public URL of the file."),
        VALID_TEXT,
        AfterValidator(lambda url: _is_web_address(url) if url else url),
    ] = ""
    base64: Annotated[str, Field(max_length=_MAX_BASE64, description="The file in base64.")] = ""
    metadata: Annotated[JsonObject | None, Field(description="Metadata of the document.")] = None


class AddDocumentByPathArguments(AddDocumentArguments):
    path: Annotated[
        str,
        Field(max_length=4_000, description="Absolute path of the file, below a folder that is allowed."),
        VALID_TEXT,
    ] = ""


class DeleteDocumentArguments(Arguments):
    document: Annotated[Name, Field(description="Name of the document.")]
    collection: Annotated[
        Name,
        Field(description="Name of its collection."),
        AfterValidator(lambda name: name if name.lower() != "all" else _refuse_all()),
    ]


def _refuse_all() -> str:
    raise ValueError("must name one collection")


async def _add_document(call: Call, arguments: AddDocumentArguments) -> CallToolResult:
    path = arguments.path if isinstance(arguments, AddDocumentByPathArguments) else ""
    given = [source for source in (arguments.url, arguments.base64, path) if source]
    if len(given) != 1:
        sources = "url, base64 or path" if isinstance(arguments, AddDocumentByPathArguments) else "url or base64"
        raise Refused(f"Pass exactly one of {sources}.")
    name = arguments.name or _name_of(arguments.url, path)
    await _refuse_existing(call, name, arguments.collection)
    options: dict[str, Any] = {"name": name, "collection_name": arguments.collection}
    if arguments.metadata is not None:
        options["metadata"] = arguments.metadata
    if arguments.url:
        document = await call.client.documents.upload_url(arguments.url, **options)
    elif arguments.base64:
        document = await call.client.documents.upload(_decoded(arguments.base64), **options)
    else:
        file: BinaryIO = folders.open_below(call.settings.folders, path)
        with file:
            document = await call.client.documents.upload(file, **options)
    accepted = {"name": clean(document.name), "collection": clean(arguments.collection), "status": document.status}
    return structured(accepted, note="It is being processed: document_status says when it can be searched.")


def _name_of(url: str, path: str) -> str:
    """Return the name of the file; there is none in base64."""
    last = PurePosixPath(unquote(urlsplit(url).path)).name if url else PurePosixPath(path).name
    if not last:
        raise Refused("Pass the name of the document.")
    return last[-255:]


async def _refuse_existing(call: Call, name: str, collection: str) -> None:
    """Refuse to replace a document: this tool only adds."""
    try:
        await call.client.documents.get(name, collection_name=collection)
    except NotFound:
        return
    raise Refused(
        f"The collection already has a document named {quoted(name)}. Choose another name; or, if the user wants it "
        "replaced, call delete_document first."
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("`base64` is not valid: use the standard alphabet, without a data: prefix.") from None


async def _delete_document(call: Call, arguments: DeleteDocumentArguments) -> CallToolResult:
    await call.client.documents.delete(arguments.document, collection_name=arguments.collection)
    deleted = {"deleted": clean(arguments.document), "collection": clean(arguments.collection)}
    return structured(deleted)


def _texts(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


def change_tools(settings: Settings) -> list[ToolSpec[Any]]:
    by_path = bool(settings.folders)
    below = f" Files below these folders can be added by path: {', '.join(map(str, settings.folders))}."
    return [
        ToolSpec(
            name="add_document",
            title="Add a document",
            description="Add a file as a new document, so that it can be searched. Only if the user asks for it."
            + (below if by_path else ""),
            arguments=AddDocumentByPathArguments if by_path else AddDocumentArguments,
            run=_add_document,
            scopes=frozenset({"read", "write"}),
            annotations=ToolAnnotations(
                read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
            ),
            output=_texts("name", "collection", "status"),
        ),
        ToolSpec(
            name="delete_document",
            title="Delete a document",
            description="Delete a document and its pages for good. Only if the user asks for it.",
            arguments=DeleteDocumentArguments,
            run=_delete_document,
            scopes=frozenset({"write"}),
            annotations=ToolAnnotations(
                read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
            ),
            output=_texts("deleted", "collection"),
        ),
    ]
