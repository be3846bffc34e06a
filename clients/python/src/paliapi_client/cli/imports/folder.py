"""A folder whose sub-folders are collections, with metadata in files next to the documents."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.uploads.items import Item, LocalItem
from paliapi_client.cli.uploads.selection import select_items

METADATA_SUFFIX = ".metadata.json"
_MAX_METADATA = 1024 * 1024


def folder_items(folder: Path, *, collection: str | None, exclude: list[str]) -> dict[str, list[Item]]:
    """Return the documents of each collection.

    Each sub-folder is a collection; files next to them belong to `collection`, by default one with the name of the
    folder. With `report.pdf`, `report.pdf.metadata.json` has its metadata.
    """
    own_name = collection or folder.resolve().name
    collections: dict[str, list[Item]] = {}
    for item in select_items([str(folder)], exclude=[*exclude, f"*{METADATA_SUFFIX}"]):
        if isinstance(item, LocalItem):
            top, slash, rest = item.name.partition("/")
            name, collection_name = (rest, top) if slash else (item.name, own_name)
            document = replace(item, name=name, metadata=_metadata(item.path))
            collections.setdefault(collection_name, []).append(document)
    return collections


def _metadata(path: Path) -> dict[str, Any] | None:
    file = path.with_name(path.name + METADATA_SUFFIX)
    try:
        if file.stat().st_size > _MAX_METADATA:
            raise Complaint("metadata_invalid", f"{file} is larger than 1 MB.")
        value = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise Complaint("metadata_invalid", f"{file} is not JSON.") from error
    if not isinstance(value, dict):
        raise Complaint("metadata_invalid", f"{file} is not a JSON object.")
    return value
