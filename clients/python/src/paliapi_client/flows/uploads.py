"""Files to upload, read while they are sent."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

Source = str | os.PathLike[str] | bytes | IO[bytes]
Metadata = Mapping[str, Any]
HASH_CHUNK = 1 << 20


class Upload:
    """A file: a path, bytes, or a file object, with the name that it is sent with."""

    def __init__(self, source: Source, name: str | None = None) -> None:
        self._given = source
        self._path: Path | None = None
        self._content: IO[bytes] | None = None
        if isinstance(source, (str, os.PathLike)):
            self._path = Path(source)
            found = self._path.name
        elif isinstance(source, (bytes, bytearray, memoryview)):
            self._content, found = io.BytesIO(source), ""
        elif hasattr(source, "read"):
            self._content = source if _can_seek(source) else io.BytesIO(source.read())
            given_name = getattr(source, "name", "")
            found = Path(given_name).name if isinstance(given_name, str) else ""
            if isinstance(self._content, io.TextIOBase):
                raise TypeError("A file must be opened in binary mode.")
        else:
            raise TypeError(f"A file is a path, bytes or a file object, not {type(source).__name__}.")
        self._start = 0 if self._content is None else self._content.tell()
        self.name = name if name is not None else found
        if not self.name:
            raise ValueError("Bytes need a name.")

    def open(self, stack: ExitStack) -> IO[bytes]:
        """Return the file at its beginning; `stack` closes it if it was opened here."""
        if self._path is not None:
            return stack.enter_context(self._path.open("rb"))
        assert self._content is not None  # noqa: S101 - one of the two is set
        self._content.seek(self._start)
        return self._content

    def sha256(self) -> str:
        """Return the SHA-256 of the content, in hex."""
        digest = hashlib.sha256()
        with ExitStack() as stack:
            file = self.open(stack)
            while chunk := file.read(HASH_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


class UploadForm:
    """A form with files, which reports how much of them was read."""

    def __init__(
        self,
        fields: Mapping[str, Any],
        files: Sequence[tuple[str, Upload]],
        on_bytes: Callable[[int, int], None] | None = None,
    ) -> None:
        self._fields = {name: _field(value) for name, value in fields.items() if value is not None}
        self._files = files
        self._on_bytes = on_bytes
        self._stack = ExitStack()

    def open(self) -> tuple[dict[str, str], list[tuple[str, Any]]]:
        """Return the fields, and the files as httpx takes them."""
        self._stack = ExitStack()
        parts = [(field, upload.name, _Part(upload.open(self._stack))) for field, upload in self._files]
        if self._on_bytes is not None:
            counter = _Counter(sum(part.size for _, _, part in parts), self._on_bytes)
            for _, _, part in parts:
                part.counter = counter
        return self._fields, [(field, (name, part, "application/octet-stream")) for field, name, part in parts]

    def close(self) -> None:
        """Close the files that were opened for this attempt."""
        self._stack.close()


class _Counter:
    def __init__(self, total: int, on_bytes: Callable[[int, int], None]) -> None:
        self.total, self.done, self.on_bytes = total, 0, on_bytes

    def add(self, size: int) -> None:
        self.done += size
        self.on_bytes(self.done, self.total)


class _Part:
    """A file from where it stands now, as httpx reads it: it asks for the size, and seeks to the beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell()
        self.size = file.seek(0, io.SEEK_END) - self._start
        self.counter: _Counter | None = None
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if chunk and self.counter is not None:
            self.counter.add(len(chunk))
        return chunk

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            offset += self._start
        return self._file.seek(offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _can_seek(file: Any) -> bool:
    return bool(getattr(file, "seekable", lambda: False)())
