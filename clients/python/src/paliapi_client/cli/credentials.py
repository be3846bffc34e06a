"""Where `pali login` keeps keys: in the keyring of the system, or in a file that only its owner can read.

Keys are stored by server, so that a key is never sent to another one. Environment variables have precedence.
"""

import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode

DEFAULT_URL = "http://localhost:8001"
URL_VARIABLE = "PALIAPI_URL"
KEY_VARIABLE = "PALIAPI_API_KEY"

Storage = Literal["keyring", "file"]
_SERVICE = "paliapi"
MAX_KEY = 500
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """The server and key of a command, and where the key is from."""

    url: str
    key: str
    source: Literal["environment", "keyring", "file"]


@dataclass(slots=True)
class _Logins:
    """The content of the file. The key of a server is None if it is in the keyring."""

    url: str | None = None
    keys: dict[str, str | None] = field(default_factory=dict)


def normal_url(url: str) -> str:
    """Return the URL of a server in the form in which keys are stored by it."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port
    except ValueError:
        port = None
        parts = parts._replace(netloc="")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise Complaint("url_invalid", f"{url!r} is not the URL of a server, such as {DEFAULT_URL}.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    address = host if port in {None, default} else f"{host}:{port}"
    return f"{parts.scheme}://{address}{parts.path.rstrip('/').removesuffix('/v1')}"


def checked_key(key: str) -> str:
    """Return a key; raise Complaint if it cannot be one, before it is sent anywhere."""
    if not key:
        raise Complaint("key_missing", f"No key was entered. Scripts can also set {KEY_VARIABLE}.")
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise Complaint("key_invalid", "This is not an API key.")
    return key


class LoginStore:
    """Keys that were stored by `pali login`."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        folder = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".config")
        if sys.platform == "win32":
            folder = environ.get("APPDATA") or folder
        self.path = Path(folder) / "paliapi" / "logins.json"

    def url(self, explicit: str | None = None) -> str:
        """Return the server to use: the one named, that of the environment, or that of the last login."""
        named = explicit or self._environ.get(URL_VARIABLE)
        return normal_url(named) if named else self._read().url or DEFAULT_URL

    def credentials(self, explicit_url: str | None = None) -> Credentials:
        """Return the key of the server to use; raise Complaint if there is none."""
        url = self.url(explicit_url)
        if key := self._environ.get(KEY_VARIABLE, "").strip():
            return Credentials(url, checked_key(key), "environment")
        logins = self._read()
        if url not in logins.keys:
            raise Complaint(
                "not_logged_in",
                f"There is no key for {url}. Run `pali login`, or set {KEY_VARIABLE}.",
                ExitCode.NOT_PERMITTED,
            )
        stored = logins.keys[url]
        if stored is not None:
            return Credentials(url, stored, "file")
        in_keyring = _Keyring.get(url)
        if in_keyring is None:
            raise Complaint(
                "keyring_unavailable",
                f"The keyring has no key for {url}, or is locked. Unlock it, run `pali login`, or set {KEY_VARIABLE}.",
                ExitCode.NOT_PERMITTED,
            )
        return Credentials(url, in_keyring, "keyring")

    def save(self, url: str, key: str, *, use_keyring: bool = True) -> Storage:
        """Store the key of a server, and return where it is."""
        logins = self._read()
        in_keyring = use_keyring and _Keyring.set(url, key)
        if not in_keyring and logins.keys.get(url, "") is None:
            _Keyring.delete(url)
        logins.keys[url] = None if in_keyring else key
        logins.url = url
        self._write(logins)
        return "keyring" if in_keyring else "file"

    def delete(self, url: str) -> bool:
        """Delete the key of a server; return whether there was one."""
        logins = self._read()
        if url not in logins.keys:
            return False
        if logins.keys.pop(url) is None:
            _Keyring.delete(url)
        if logins.url == url:
            logins.url = None
        self._write(logins)
        return True

    def _read(self) -> _Logins:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            return _Logins()
        except OSError as error:
            raise Complaint("login_file_unreadable", f"{self.path} cannot be read: {error.strerror}.") from error
        with os.fdopen(descriptor, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:
                raise Complaint(
                    "login_file_exposed",
                    f"{self.path} can be read by other users, so its keys are not used. Run `chmod 600 {self.path}`, "
                    "and revoke the keys if others use this machine.",
                    ExitCode.NOT_PERMITTED,
                )
            content = file.read(_MAX_BYTES + 1)
        return _parsed(content, self.path)

    def _write(self, logins: _Logins) -> None:
        """Replace the file at once: a reader sees the old or the new one, and no other user sees either."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp creates with mode 600.
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".logins-")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump({"url": logins.url, "keys": logins.keys}, file, indent=2)
                    file.write("\n")
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Complaint("login_file_unwritable", f"{self.path} cannot be written: {error.strerror}.") from error


def _parsed(content: bytes, path: Path) -> _Logins:
    try:
        value: Any = json.loads(content) if len(content) <= _MAX_BYTES else None
        url, keys = value["url"], value["keys"]
        if (url is None or isinstance(url, str)) and all(one is None or isinstance(one, str) for one in keys.values()):
            return _Logins(url, dict(keys))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise Complaint("login_file_damaged", f"{path} is damaged. Delete it and run `pali login` again.")


class _Keyring:
    """The keyring of the system, which may be missing, locked or broken in many ways."""

    @staticmethod
    def get(url: str) -> str | None:
        with contextlib.suppress(Exception):
            import keyring  # noqa: PLC0415  (slow to import, and rarely needed)

            return keyring.get_password(_SERVICE, url)
        return None

    @staticmethod
    def set(url: str, key: str) -> bool:
        with contextlib.suppress(Exception):
            import keyring  # noqa: PLC0415

            # Backends with a priority below 1 store nothing, or store it unencrypted.
            if keyring.get_keyring().priority >= 1:
                keyring.set_password(_SERVICE, url, key)
                return keyring.get_password(_SERVICE, url) == key
        return False

    @staticmethod
    def delete(url: str) -> None:
        with contextlib.suppress(Exception):
            import keyring  # noqa: PLC0415

            keyring.delete_password(_SERVICE, url)
