"""Which files the arguments of `pali up` name, and the names of their documents."""

import dataclasses
import fnmatch
import glob
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.uploads.items import Item, LocalItem, UrlItem

_WILDCARDS = frozenset("*?[")


def select_items(
    arguments: list[str],
    *,
    exclude: list[str],
    hidden: bool = False,
    name: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> list[Item]:
    """Return what paths, folders, globs and URLs name, in order.

    A file in a folder is named by its path below the folder, another by its file name; a single one can be renamed.
    """
    items: dict[str, Item] = {}
    for argument in arguments:
        for item in _items(argument, exclude=exclude, hidden=hidden, metadata=metadata):
            earlier = items.setdefault(item.name, item)
            if earlier is not item and not _is_same(earlier, item):
                raise Complaint(
                    "name_repeated",
                    f"{earlier.source} and {item.source} would both be the document {item.name}. "
                    "Upload the folder that contains both.",
                )
    if not items:
        raise Complaint("nothing_selected", "No files are left to upload.", ExitCode.NOT_FOUND)
    if name is None:
        return list(items.values())
    if not name:
        raise Complaint("name_invalid", "The name of a document cannot be empty.")
    if len(items) > 1:
        raise Complaint("name_ambiguous", f"--name is for a single file, and {len(items)} are named.")
    return [dataclasses.replace(item, name=name) for item in items.values()]  # type: ignore[type-var]


def _items(
    argument: str, *, exclude: list[str], hidden: bool, metadata: dict[str, Any] | None
) -> Iterator[LocalItem | UrlItem]:
    if argument.startswith(("http://", "https://")):
        yield UrlItem(argument, _name_of_url(argument), metadata)
        return
    for path, name in _files(argument, hidden=hidden):
        if not _is_excluded(name, exclude):
            yield LocalItem(path, name, metadata)


def _is_same(one: Item, other: Item) -> bool:
    if isinstance(one, LocalItem) and isinstance(other, LocalItem):
        return one.path.samefile(other.path)
    return one.source == other.source


def _name_of_url(url: str) -> str:
    parts = urlsplit(url)
    return unquote(PurePosixPath(parts.path).name) or parts.hostname or url


def _files(argument: str, *, hidden: bool) -> Iterator[tuple[Path, str]]:
    path = Path(argument)
    if path.is_dir():
        yield from _in_folder(path, hidden=hidden)
    elif path.is_file():
        yield path, _name(path.name)
    elif _WILDCARDS & set(argument) and not path.exists():
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207  (patterns may be absolute)
        if not matches:
            raise Complaint("path_not_found", f"Nothing matches {argument}.", ExitCode.NOT_FOUND)
        for match in matches:
            if Path(match).is_file():
                yield Path(match), _name(_below(match, argument))
    elif path.exists():
        raise Complaint("path_not_a_file", f"{argument} is neither a file nor a folder.")
    else:
        raise Complaint("path_not_found", f"{argument} does not exist.", ExitCode.NOT_FOUND)


def _in_folder(folder: Path, *, hidden: bool) -> Iterator[tuple[Path, str]]:
    """Yield regular files; links to folders are not followed, since they can form circles."""

    def fail(error: OSError) -> None:
        raise Complaint("path_unreadable", f"{error.filename} cannot be read: {error.strerror}.")

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(one for one in folders if hidden or not one.startswith("."))
        for file in sorted(files):
            path = Path(parent) / file
            if (hidden or not file.startswith(".")) and path.is_file():
                yield path, _name(path.relative_to(folder).as_posix())


def _below(match: str, pattern: str) -> str:
    """Return the part of a path after the folders of a pattern that have no wildcard."""
    parts = Path(pattern).parts
    fixed = next((number for number, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts) - 1)
    return Path(*Path(match).parts[fixed:]).as_posix()


def _name(path: str) -> str:
    """Return the name of a document. Bytes of file names that are not UTF-8 are replaced, as JSON cannot have them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_excluded(name: str, patterns: list[str]) -> bool:
    path = PurePosixPath(name)
    names = [name, *path.parts, *(parent.as_posix() for parent in path.parents)]
    return any(fnmatch.fnmatchcase(one, pattern.rstrip("/")) for pattern in patterns for one in names)
