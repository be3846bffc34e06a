"""The one folder where data, secrets, logs and sockets lie, and the lock that only one stack can hold."""

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

from paliapi.stack.account import name_of
from paliapi.stack.trouble import Trouble, in_words

LEAST_FREE_MB = 300

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is private and checked

# A socket's path has 108 bytes on Linux and 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH = 103


class Home:
    """The folder. `open_home` makes it ready."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.run = path / "run"
        self.metrics = _metrics_folder(path)
        self.children = self.run / f"children-{os.getpid()}.json"
        self._short_note = self.run / "short"

    def renew_metrics(self) -> None:
        """Begin with an empty folder: the figures of processes that are gone are nobody's."""
        self.forget_metrics()
        self.metrics.mkdir(mode=0o700)

    def forget_metrics(self) -> None:
        """Remove the figures."""
        shutil.rmtree(self.metrics, ignore_errors=True)

    def lists_of_children(self) -> list[Path]:
        """Every stack writes a list of its own, so that nobody who cleans up removes another's."""
        return sorted(self.run.glob("children-*.json"))

    def socket_folder(self, folder: Path, socket_name: str) -> Path:
        """`folder`, by a name short enough for the address of the socket that lies in it."""
        if len(os.fsencode(folder / socket_name)) <= _LONGEST_SOCKET_PATH:
            return folder
        link = self._short() / folder.name
        if not link.is_symlink():
            link.symlink_to(folder, target_is_directory=True)
        return link

    def _short(self) -> Path:
        """A folder of our own with a short name; the next start finds it again, but not a copy of this folder."""
        known = self._known_short()
        if known and known.is_dir() and not known.is_symlink() and known.stat().st_uid == os.geteuid():
            return known
        parent = min(tempfile.gettempdir(), "/tmp", key=len)  # noqa: S108 - mkdtemp makes a private folder there
        made = Path(tempfile.mkdtemp(prefix="paliapi-", dir=parent))
        self._short_note.write_text(f"{made}\n{self.path}", encoding="utf-8")
        return made

    def _known_short(self) -> Path | None:
        if not self._short_note.is_file():
            return None
        short, _, home = self._short_note.read_text(encoding="utf-8").partition("\n")
        return Path(short) if home == str(self.path) else None

    def forget_short_names(self) -> None:
        """Remove the links of `socket_folder`."""
        known = self._known_short()
        if known:
            shutil.rmtree(known, ignore_errors=True)
        self._short_note.unlink(missing_ok=True)


def open_home(path: Path, *, least_free_mb: int = LEAST_FREE_MB) -> Home:
    """Make the folder where it is missing, and see that it can be used."""
    home = Home(path)
    try:
        _refuse_foreign(path)
        for folder in (path, home.logs, home.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home.run / f"probe-{secrets.token_hex(4)}"
        probe.write_bytes(b"can it be written?")
        probe.unlink()
        free_mb = shutil.disk_usage(path).free // 1_000_000
    except OSError as problem:
        raise in_words(problem, place=path) from problem
    if free_mb < least_free_mb:
        raise Trouble(f"The disk is full: {path} has {free_mb} MB left and at least {least_free_mb} MB are needed.")
    return home


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Hold the lock of the folder. The operating system lets go of it when we die, however we die."""
    file = (home.path / "lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Trouble(f"PaliAPI is already running over {home.path} (process {holder}).") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def _metrics_folder(home: Path) -> Path:
    """Where processes count together. They do so in mapped files, and on a full disk writing to one kills the writer;
    so the files lie in memory where there is such a folder and nobody else made ours."""
    name = f"paliapi-metrics-{os.geteuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    found = _MEMORY / name
    try:
        state = found.lstat()
    except FileNotFoundError:
        return found if os.access(_MEMORY, os.W_OK | os.X_OK) else home / "run" / "metrics"
    ours = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and state.st_mode & 0o077 == 0
    return found if ours else home / "run" / "metrics"


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise Trouble(f"{path} is a file; PALIAPI_HOME must name a folder.")
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise Trouble(
            f"The data folder {path} belongs to {name_of(owner)}, not to {name_of(os.geteuid())}: "
            "run this as its owner, or set PALIAPI_HOME to a folder of your own."
        )
