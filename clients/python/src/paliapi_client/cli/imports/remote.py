"""Files that are fetched to this machine before they are uploaded."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from paliapi_client.cli.imports.seen import SeenVersions
from paliapi_client.cli.uploads.items import sha256_of


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """A file elsewhere. `version` changes whenever its content does; `sha256` is of its content, if that is known."""

    name: str
    source: str
    version: str
    fetch: Callable[[IO[bytes]], None]
    seen: SeenVersions
    metadata: dict[str, Any] | None = None
    sha256: str | None = None

    def known_hash(self) -> str | None:
        if self.sha256 is None and self.version:
            return self.seen.sha256(self.source, self.version)
        return self.sha256

    @contextmanager
    def file(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="pali-import-"))
        try:
            path = folder / "content"
            with path.open("wb") as file:
                self.fetch(file)
            if self.version:
                self.seen.remember(self.source, self.version, sha256_of(path))
            yield path
        finally:
            shutil.rmtree(folder, ignore_errors=True)
