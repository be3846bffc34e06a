"""The folder for all data, secrets, logs and sockets, and its lock, which only one stack can hold."""

import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paliapi.stack.account import account_name
from paliapi.stack.errors import StackError, describe

MIN_FREE_MB = 300

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder created there is private and checked

# A socket path may have 108 bytes on Linux and 104 on macOS, including the terminating zero.
_MAX_SOCKET_PATH = 103


class Home:
    """The paths in the folder, which `open_home` creates."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.run = path / "run"
        self.first_login = path / "first-login"
        self.metrics = _metrics_folder(path)
        self.children = self.run / f"children-{os.getpid()}.json"
        self._short_note = self.run / "short"

    def reset_metrics(self) -> None:
        """Start with an empty folder, without the metrics of processes that have ended."""
        self.remove_metrics()
        self.metrics.mkdir(mode=0o700)

    def remove_metrics(self) -> None:
        """Remove the folder of the metrics."""
        shutil.rmtree(self.metrics, ignore_errors=True)

    def children_lists(self) -> list[Path]:
        """Return the lists of children of all stacks; each has its own, so that cleaning up removes no other's."""
        return sorted(self.run.glob("children-*.json"))

    def socket_folder(self, folder: Path, socket_name: str) -> Path:
        """Return `folder`, or a link to it whose path is short enough for a socket in it."""
        if len(os.fsencode(folder / socket_name)) <= _MAX_SOCKET_PATH:
            return folder
        link = self._short_folder() / folder.name
        if not link.is_symlink():
            link.symlink_to(folder, target_is_directory=True)
        return link

    def _short_folder(self) -> Path:
        """Return a private folder with a short path, which the next start of this home reuses, but a copy does not."""
        existing = self._existing_short_folder()
        if existing and existing.is_dir() and not existing.is_symlink() and existing.stat().st_uid == os.geteuid():
            return existing
        parent = min(tempfile.gettempdir(), "/tmp", key=len)  # noqa: S108 - mkdtemp creates a private folder there
        created = Path(tempfile.mkdtemp(prefix="paliapi-", dir=parent))
        self._short_note.write_text(f"{created}\n{self.path}", encoding="utf-8")
        return created

    def _existing_short_folder(self) -> Path | None:
        if not self._short_note.is_file():
            return None
        short, _, home = self._short_note.read_text(encoding="utf-8").partition("\n")
        return Path(short) if home == str(self.path) else None

    def remove_short_names(self) -> None:
        """Remove the links of `socket_folder`."""
        existing = self._existing_short_folder()
        if existing:
            shutil.rmtree(existing, ignore_errors=True)
        self._short_note.unlink(missing_ok=True)


def open_home(path: Path, *, min_free_mb: int = MIN_FREE_MB) -> Home:
    """Create the folder if it is missing, and check that it is usable."""
    home = Home(path)
    try:
        _check_owner(path)
        for folder in (path, home.logs, home.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home.run / f"probe-{secrets.token_hex(4)}"
        probe.write_bytes(b"write test")
        probe.unlink()
        free_mb = shutil.disk_usage(path).free // 1_000_000
    except OSError as problem:
        raise describe(problem, path=path) from problem
    if free_mb < min_free_mb:
        raise StackError(f"The disk is full: {path} has {free_mb} MB left, and at least {min_free_mb} MB are needed.")
    return home


@contextmanager
def lock_home(home: Home) -> Iterator[None]:
    """Hold the folder's lock, which the operating system releases however this process ends."""
    file = (home.path / "lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StackError(f"PaliAPI is already running in {home.path} (process {holder}).") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def _metrics_folder(home: Path) -> Path:
    """Return the folder for metrics shared by several processes.

    The metrics are in memory-mapped files, and writing to one on a full disk would kill the process. The folder is
    therefore in shared memory, if that exists and no other user has created a folder of that name.
    """
    name = f"paliapi-metrics-{os.geteuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    folder = _SHARED_MEMORY / name
    try:
        state = folder.lstat()
    except FileNotFoundError:
        return folder if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else home / "run" / "metrics"
    is_own = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and state.st_mode & 0o077 == 0
    return folder if is_own else home / "run" / "metrics"


def _check_owner(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise StackError(f"{path} is a file; PALIAPI_HOME must name a folder.")
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise StackError(
            f"The data folder {path} belongs to {account_name(owner)}, not to {account_name(os.geteuid())}: "
            "run this as its owner, or set PALIAPI_HOME to a folder of your own."
        )
