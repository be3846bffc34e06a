"""Landlock: the files that this process can open, and what else the kernel keeps from it. Needs no privileges."""

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from sandbox import kernel

Network: TypeAlias = Literal["none", "server", "all"]

_VERSION = 1  # a flag, not a version
_RULE_PATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_DEVICES = 1 << 6 | 1 << 11
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
# All rights that a version knows of, on files, on TCP, and beyond the domain (abstract sockets and signals).
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_BIND, _CONNECT = 1, 2
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_SCOPES = 3


def version() -> int:
    """Return the version of Landlock in this kernel, or 0."""
    with suppress(OSError):
        return kernel.call("landlock_create_ruleset", None, 0, _VERSION)
    return 0


def restrict(
    *,
    readable: Iterable[Path] = (),
    executable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    network: Network = "none",
) -> None:
    """Open nothing but these files and folders from now on; raise OSError if the kernel cannot enforce it.

    Programs can be run and read in `executable`; what is in `writable` can be read, changed and deleted, but not
    run. Missing paths are ignored. Where the kernel can, also refuse TCP (with `server`, connections to others only),
    abstract Unix sockets and signals to processes that are not confined with this one.
    """
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - pathlib would be imported for this alone
        raise OSError("Landlock restricts the calling thread only, and there are others")
    known = version()
    rights = max((rights for since, rights in _FILE_RIGHTS.items() if since <= known), default=0)
    tcp = {"none": _BIND | _CONNECT, "server": _CONNECT, "all": 0}[network] if known >= _TCP_SINCE else 0
    attributes = struct.pack("=QQQ", rights, tcp, _SCOPES if known >= _SCOPES_SINCE else 0)
    size = 24 if known >= _SCOPES_SINCE else 16 if known >= _TCP_SINCE else 8
    ruleset = kernel.call("landlock_create_ruleset", attributes, size, 0)
    try:
        for paths, granted in (
            (readable, _READ_FILE | _READ_FOLDER),
            (executable, _READ_FILE | _READ_FOLDER | _EXECUTE),
            (writable, rights & ~(_EXECUTE | _DEVICES)),
        ):
            for path in paths:
                _grant(ruleset, path, granted & rights)
        kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _grant(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= -1 if path.is_dir() else _OF_FILES
        kernel.call("landlock_add_rule", ruleset, _RULE_PATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)
