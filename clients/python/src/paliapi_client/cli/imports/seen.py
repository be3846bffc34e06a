"""Hashes of files that were fetched before, so that they need not be fetched to be compared.

The server decides what it has; this only says which content a version of a remote file has.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

_TABLE = "CREATE TABLE IF NOT EXISTS seen (address TEXT PRIMARY KEY, version TEXT NOT NULL, sha256 TEXT NOT NULL)"


class SeenVersions:
    """The SHA-256 of each version of a remote file. Without a place to store them, they are fetched again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> "SeenVersions":
        folder = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "state")
        return cls(Path(folder) / "paliapi" / "seen.sqlite3")

    def sha256(self, address: str, version: str) -> str | None:
        """Return the hash of a version; None if it was not fetched before."""
        rows = self._execute("SELECT sha256 FROM seen WHERE address = ? AND version = ?", address, version)
        return str(rows[0][0]) if rows else None

    def remember(self, address: str, version: str, sha256: str) -> None:
        self._execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", address, version, sha256)

    def _execute(self, sql: str, *parameters: str) -> list[tuple[object, ...]]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock, contextlib.closing(sqlite3.connect(self._path, timeout=10)) as connection, connection:
                connection.execute(_TABLE)
                return connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, OSError):
            return []
