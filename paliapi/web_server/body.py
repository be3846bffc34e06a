"""A request body while it arrives: in memory if it is small, else in a temporary file."""

import tempfile
from io import BytesIO
from pathlib import Path
from typing import IO

from paliapi.web_server.limits import MAX_BODY_IN_MEMORY, Room


class NoRoom(Exception):
    """There is no room on the disk for more of this body."""


class Body:
    """What has arrived of a body of known length."""

    def __init__(self, length: int, *, account: str, room: Room, folder: Path | None) -> None:
        self.missing = length
        self._account = account
        self._room = room
        self._taken = 0
        self.is_in_memory = length <= MAX_BODY_IN_MEMORY
        self.file: IO[bytes] = BytesIO() if self.is_in_memory else _temporary_file(folder)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes; raise NoRoom if the disk or the account's share of it is full."""
        if not self.is_in_memory:
            if not self._room.take(self._account, len(data)):
                raise NoRoom
            self._taken += len(data)
        try:
            self.file.write(data)
            self.missing -= len(data)
            if not self.missing:
                self.file.seek(0)  # writes what is buffered, too
        except OSError as problem:
            raise NoRoom from problem

    def close(self) -> None:
        try:
            self.file.close()
        except OSError:
            self.file.close()  # closing writes what is buffered, which fails on a full disk; then it is closed
        self._room.give_back(self._account, self._taken)
        self._taken = 0


def _temporary_file(folder: Path | None) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=folder)
    except OSError as problem:
        raise NoRoom from problem
