"""Something to upload: a file on this machine, a file that must be fetched first, or a URL that the server fetches."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

_CHUNK = 1024 * 1024


class Item(Protocol):
    """The source of one document."""

    @property
    def name(self) -> str: ...

    @property
    def metadata(self) -> dict[str, Any] | None: ...

    @property
    def source(self) -> str:
        """Path or address, for people."""

    def known_hash(self) -> str | None:
        """Return the SHA-256 of the content if it is known without fetching it."""

    def file(self) -> Any:
        """Return a context manager that yields the path of the content, fetched if necessary."""


@dataclass(frozen=True, slots=True)
class LocalItem:
    """A file on this machine."""

    path: Path
    name: str
    metadata: dict[str, Any] | None = None

    @property
    def source(self) -> str:
        return str(self.path)

    def known_hash(self) -> str | None:
        return sha256_of(self.path)

    @contextmanager
    def file(self) -> Iterator[Path]:
        yield self.path


@dataclass(frozen=True, slots=True)
class UrlItem:
    """A URL that the server downloads."""

    url: str
    name: str
    metadata: dict[str, Any] | None = None

    @property
    def source(self) -> str:
        return self.url

    def known_hash(self) -> str | None:
        return None

    @contextmanager
    def file(self) -> Iterator[Path]:
        raise NotImplementedError("The server downloads it.")
        yield Path()


@dataclass(slots=True)
class Outcome:
    """What became of an item."""

    item: Item
    # `unchanged`, `planned`, `not_started`, `refused`, or the status of the document.
    status: str
    # `upload`, `metadata` or None: what was sent.
    sent: str | None = None
    pages: int | None = None
    skipped_pages: list[Any] = field(default_factory=list)
    error: dict[str, Any] | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None or self.status in {"failed", "refused", "cancelled"}

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.item.name,
            "source": self.item.source,
            "status": self.status,
            "sent": self.sent,
            "pages": self.pages,
            "skipped_pages": self.skipped_pages,
            "error": self.error,
        }


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
