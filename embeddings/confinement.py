"""The walls around the service's process: which files it can open, and which calls the kernel refuses it.

A backend for CPUs needs nothing but its packages: it then cannot open any other file, write any, connect to any server
or run any program. Other backends, and rerankers, download weights, compile code and use devices; they are not confined
here.
"""

import logging
import os
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from embeddings.config import Settings
from sandbox import calls, walls

log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parent
# Shared libraries, certificates and time zones; what the libraries read about processors and memory.
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share", "/etc/ld.so.cache", "/etc/ssl"),
    *("/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf", "/etc/passwd"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys", "/dev/null", "/dev/urandom"),
)


def confine(settings: Settings) -> None:
    """Confine this process if the backend allows it. Call this before libraries are imported that start threads."""
    if settings.reranker or not is_for_cpus(settings):
        log.info("This model downloads weights or uses devices, so its process is not confined.")
        return
    readable = [*_program(), *map(Path, _SYSTEM)]
    if os.geteuid() == 0 and not all(_is_readable_without_privileges(path) for path in _program()):
        log.warning("Not confined: root can read the program only by its privileges, which would be given up.")
        return
    standing = walls.confine(calls=calls.serving(), readable=readable, network="server", change_user=False)
    missing = set(standing.missing()) - {"user"}
    if missing:
        log.warning("The kernel does not allow these walls around the service: %s.", ", ".join(sorted(missing)))


def is_for_cpus(settings: Settings) -> bool:
    """Return whether the backend is one of those that consist of files in their packages only."""
    return settings.backend in ("embedded", "lexical") or (settings.backend == "auto" and find_spec("torch") is None)


def _program() -> Iterator[Path]:
    """Yield the folders of the interpreter, its packages and this one, but not that which contains this package."""
    yield _PACKAGE
    yield from {Path(sys.prefix), Path(sys.base_prefix)}
    yield from map(Path, set(sysconfig.get_paths().values()))
    for entry in sys.path:
        path = Path(entry).resolve()
        if entry and path.exists() and path not in _PACKAGE.parents:
            yield path


def _is_readable_without_privileges(path: Path) -> bool:
    """Return whether root owns the path and the folders above it, or all users may read them."""
    if not path.exists():
        return True
    states = [folder.stat() for folder in (path.resolve(), *path.resolve().parents)]
    return all(state.st_uid == 0 or state.st_mode & 0o001 for state in states)
