"""Collections of a ColiVara account, or of another PaliAPI, which has the same API."""

from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote, urlsplit

import httpx

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.imports.remote import RemoteItem
from paliapi_client.cli.imports.seen import SeenVersions
from paliapi_client.cli.uploads.items import Item

DEFAULT_URL = "https://api.colivara.com"
_TIMEOUT_S = 60.0
_TRIES = 4
_MAX_ANSWER = 256 * 1024 * 1024
_MAX_FILE = 10 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceCollection:
    name: str
    metadata: dict[str, Any]
    items: list[Item]


class ColiVaraAccount:
    """An account to import from."""

    def __init__(self, url: str, key: str, seen: SeenVersions) -> None:
        self._url = url
        self._seen = seen
        transport = httpx.HTTPTransport(retries=2)
        headers = {"Authorization": f"Bearer {key}"}
        self._api = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S, transport=transport)
        # Links to files lead elsewhere, so they are fetched without the key.
        self._files = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True, transport=httpx.HTTPTransport(retries=2))

    def __enter__(self) -> "ColiVaraAccount":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._api.close()
        self._files.close()

    def collections(self, only: list[str]) -> list[SourceCollection]:
        """Return the collections with their documents."""
        rows = self._get("/v1/collections/")
        names = {str(row.get("name")) for row in rows}
        if missing := [name for name in only if name not in names]:
            raise Complaint("collection_not_found", f"{self._url} has no collection {missing[0]}.", ExitCode.NOT_FOUND)
        return [
            SourceCollection(name, _metadata(row), self._items(name))
            for row in rows
            if (name := str(row.get("name"))) and (not only or name in only)
        ]

    def _items(self, collection: str) -> list[Item]:
        documents = self._get(f"/v1/documents/?collection_name={quote(collection, safe='')}")
        items: list[Item] = []
        for document in documents:
            name = str(document.get("name"))
            source = f"{self._url}/v1/documents/{quote(name, safe='')}/?collection_name={quote(collection, safe='')}"
            items.append(
                RemoteItem(
                    name=name,
                    source=source,
                    version=_version(document),
                    fetch=lambda file, source=source: self._fetch(source, file),  # type: ignore[misc]
                    seen=self._seen,
                    metadata=_metadata(document),
                    sha256=_hash(document),
                )
            )
        return items

    def _fetch(self, document_url: str, file: IO[bytes]) -> None:
        """Download the file of a document by a link that is new, because links expire."""
        document = self._read(document_url)
        url = document.get("url") if isinstance(document, dict) else None
        if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
            raise Complaint("file_unavailable", "The source has no file of this document.")
        try:
            with self._files.stream("GET", url) as response:
                if response.status_code != 200:
                    raise Complaint("file_unavailable", f"The source answers {response.status_code} for the file.")
                size = 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > _MAX_FILE:
                        raise Complaint("file_too_large", "The file is larger than 10 GB.")
                    file.write(chunk)
        except httpx.HTTPError as error:
            raise Complaint("source_unavailable", f"The file cannot be fetched: {error}") from error

    def _get(self, path: str) -> list[dict[str, Any]]:
        value = self._read(path)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise Complaint("source_invalid", f"{self._url} does not answer like ColiVara.", ExitCode.UNAVAILABLE)
        return value

    def _read(self, path: str) -> Any:
        try:
            with self._api.stream("GET", path) as response:
                _check(response, self._url)
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > _MAX_ANSWER:
                        raise Complaint("source_invalid", f"A response of {self._url} is too large.")
            return httpx.Response(200, content=bytes(content)).json()
        except (ValueError, RecursionError) as error:
            detail = f"{self._url} does not answer with JSON."
            raise Complaint("source_invalid", detail, ExitCode.UNAVAILABLE) from error
        except httpx.HTTPError as error:
            detail = f"{self._url} cannot be reached: {error}"
            raise Complaint("source_unavailable", detail, ExitCode.UNAVAILABLE) from error


def _check(response: httpx.Response, url: str) -> None:
    if response.status_code in {401, 403}:
        raise Complaint("source_rejects_key", f"{url} rejects the key.", ExitCode.NOT_PERMITTED)
    if response.status_code != 200:
        raise Complaint("source_unavailable", f"{url} answers {response.status_code}.", ExitCode.UNAVAILABLE)


def _metadata(row: dict[str, Any]) -> dict[str, Any]:
    value = row.get("metadata")
    return value if isinstance(value, dict) else {}


def _hash(document: dict[str, Any]) -> str | None:
    """Return the hash of the file, which PaliAPI has and ColiVara has not."""
    value = document.get("sha256")
    return value if isinstance(value, str) and value else None


def _version(document: dict[str, Any]) -> str:
    """Return what changes with the content, as far as ColiVara shows: the name of the stored file."""
    url = document.get("url")
    path = urlsplit(url).path if isinstance(url, str) else ""
    return f"{document.get('id')} {path} {document.get('num_pages')}" if path else ""
