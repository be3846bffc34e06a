"""The embedded Postgres, which listens only on a socket in its own folder.

The superuser `postgres` is authenticated by the operating system account (peer), every other role by its password
(SCRAM).
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from paliapi.database_bootstrap import bootstrap, enable_extension
from paliapi.roles import LOGINS
from paliapi.stack import account as accounts
from paliapi.stack import postgres_binaries, processes
from paliapi.stack.child import Child, Command
from paliapi.stack.errors import StackError, describe
from paliapi.stack.home import Home
from paliapi.stack.logs import most_relevant_line

SUPERUSER = "postgres"
DATABASE = "paliapi"
_SOCKET = ".s.PGSQL.5432"

# For a laptop: leaves most memory to the page cache and to other programs.
_TUNING = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u ",
    "log_checkpoints": "off",
    # The text of a failed statement may contain search queries; the applications log the failure itself.
    "log_min_error_statement": "panic",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


class Postgres:
    """The database of one home: creating, starting and querying it."""

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self.data = home.path / "postgres"
        self.log = home.logs / "postgres.log"
        self.socket_folder = home.socket_folder(self.data, _SOCKET)
        self._account = accounts.for_postgres(self.data)
        self._programs: Path | None = None

    def url_for(self, role: str, database: str = DATABASE, *, password: str = "") -> str:
        """Return the URL to connect to the database as this role."""
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{role}{secret}@/{quote(database, safe='')}?host={quote(str(self.socket_folder), safe='')}"

    def prepare(self) -> None:
        """Prepare a start: find the programs, create the data and access rules, and end a killed server's remains."""
        try:
            self._programs = postgres_binaries.find(self._account)
            if not self._is_created():
                self._create()
            self._check_version_and_owner()
            if self._account:
                self._account.take_over(self.data)
            self._end_leftover()
            self._write_access_rules()
        except OSError as problem:
            raise describe(problem, path=self.data) from problem

    def command(self) -> Command:
        """Return the command that starts the server; call `prepare` first."""
        tuning = _TUNING | ({} if self._durable else _NOT_DURABLE)
        options = [option for name, value in tuning.items() for option in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            argv=(self._program("postgres"), "-D", self._path_for_account(self.data), *options),
            environ=_environ(),
            cwd=self.data,
            stop_signal=signal.SIGINT,
            spawn_options=self._account.spawn_options if self._account else {},
        )

    def is_ready(self) -> bool:
        """Check whether the server accepts connections; its PID file shows this without a failed attempt."""
        if "ready" not in self._pid_file_lines():
            return False
        try:
            self.connect(SUPERUSER).close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str) -> psycopg.Connection:
        """Connect as the superuser, in autocommit mode."""
        return psycopg.connect(self.url_for(SUPERUSER, database), autocommit=True, connect_timeout=5)

    def bootstrap(self, passwords: Mapping[str, str]) -> None:
        """Create the roles, the database and its extension if they are missing, and set the passwords."""
        with self.connect("template1") as connection:
            # Databases created from the template, such as those of tests, get the extension too.
            enable_extension(connection)
        bootstrap(self.connect, database=DATABASE, passwords=passwords, start=SUPERUSER)

    def _is_created(self) -> bool:
        if not self.data.exists():
            return False
        if (self.data / "PG_VERSION").is_file():
            return True
        try:
            self.data.rmdir()
        except OSError:
            raise StackError(f"The folder {self.data} is not empty but contains no database; move it away.") from None
        return False

    def _check_version_and_owner(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != postgres_binaries.MAJOR:
            raise StackError(
                f"The data in {self.data} was written by Postgres {version}, and this is Postgres "
                f"{postgres_binaries.MAJOR}: start the release that wrote it, dump the database, and load it here."
            )
        owner = self.data.stat().st_uid
        if not self._account and owner != os.geteuid():
            raise StackError(
                f"The database folder {self.data} belongs to {accounts.account_name(owner)}; run this as its owner."
            )

    def _create(self) -> None:
        """Create the data in a draft folder that is renamed when complete, so that no start leaves partial data."""
        for abandoned in self._home.run.glob("postgres-draft-*"):
            shutil.rmtree(abandoned)
        draft = Path(tempfile.mkdtemp(prefix="postgres-draft-", dir=self._home.run))
        if self._account:
            self._account.take_over(draft)
        argv = [
            self._program("initdb"),
            *("-D", self._path_for_account(draft), "-U", SUPERUSER),
            *("--auth-local=peer", "--auth-host=reject", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self._durable else ["--no-sync"]),
        ]
        accounts.own_name()
        result = subprocess.run(
            argv,
            cwd=draft,
            env=_environ(),
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **(self._account.spawn_options if self._account else {}),
        )
        with self.log.open("a", encoding="utf-8") as log:
            log.write(result.stdout + result.stderr)
        if result.returncode != 0:
            raise StackError(
                f"The database could not be created: {most_relevant_line(result.stderr)} (see {self.log})."
            )
        draft.rename(self.data)

    def _pid_file_lines(self) -> list[str]:
        """Return the lines of `postmaster.pid`: process id, data folder, start time, ..., and finally `ready`."""
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []

    def _path_for_account(self, folder: Path) -> str:
        """Return the path by which a program started in `folder` under the other account can reach it.

        That account may lack access to the parent folders, for example in root's home.
        """
        return "/proc/self/cwd" if self._account and Path("/proc/self/cwd").exists() else str(folder)

    def _program(self, name: str) -> str:
        if self._programs is None:
            self._programs = postgres_binaries.find(self._account)
        return str(self._programs / "bin" / name)

    def _write_access_rules(self) -> None:
        name = accounts.own_name()
        self._write("pg_hba.conf", f"local all {SUPERUSER} peer map=stack\nlocal all all scram-sha-256\n")
        self._write("pg_ident.conf", f'stack "{name}" {SUPERUSER}\n')

    def _write(self, name: str, text: str) -> None:
        draft = self.data / f"{name}.draft"
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
        draft.replace(self.data / name)

    def _end_leftover(self) -> None:
        """End a server that still uses this folder; this stack holds the home's lock, so it is abandoned."""
        lines = self._pid_file_lines()
        if len(lines) < 3 or not (lines[0].isdigit() and lines[2].isdigit()):
            return
        pid = int(lines[0])
        if not processes.alive(pid):
            # It was killed. Its children take a moment to notice, and until then a new server refuses to start.
            processes.wait_until(lambda: not _is_shared_memory_used(lines), within_s=10)
            return
        if not (processes.is_same(pid, float(lines[2])) and processes.program(pid) == "postgres"):
            # The process id has been reused. Postgres would mistake that process for a server and not start, unless it
            # is Postgres's parent. The other lines stay, because Postgres needs them to find the old shared memory.
            self._write("postmaster.pid", "\n".join([str(os.getpid()), *lines[1:], ""]))
            return
        for number, timeout_s in ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            processes.signal_one(pid, number)
            if processes.wait_until(lambda: not processes.alive(pid), within_s=timeout_s):
                return
        raise StackError(f"A Postgres of an earlier start (process {pid}) cannot be stopped; stop it by hand.")


@dataclass(slots=True)
class RunningPostgres:
    """A server outside the supervisor, for tests and single commands."""

    postgres: Postgres
    passwords: Mapping[str, str]
    child: Child

    def url_for(self, role: str, database: str = DATABASE) -> str:
        """Return the URL for this role, including its password."""
        return self.postgres.url_for(role, database, password=self.passwords.get(role, ""))

    def stop(self) -> None:
        """Stop the server and keep its data."""
        self.child.stop(within_s=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start_postgres(home: Home, *, durable: bool = True, passwords: Mapping[str, str] | None = None) -> RunningPostgres:
    """Start a server for this home and wait until the roles and the database exist."""
    postgres = Postgres(home, durable=durable)
    postgres.prepare()
    running = RunningPostgres(
        postgres,
        passwords or {role: secrets.token_urlsafe(24) for role in LOGINS},
        Child(postgres.command(), log=postgres.log),
    )
    try:
        processes.wait_until(lambda: postgres.is_ready() or running.child.exit_code() is not None, within_s=60)
        if running.child.exit_code() is not None or not postgres.is_ready():
            raise StackError(f"Postgres did not start: {running.child.reason()}.")
        postgres.bootstrap(running.passwords)
    except BaseException:
        running.stop()
        raise
    return running


def _is_shared_memory_used(pid_file_lines: list[str]) -> bool:
    """Check whether a process still uses the shared memory named in the PID file."""
    table = Path("/proc/sysvipc/shm")
    if len(pid_file_lines) < 7 or not table.is_file():
        return False
    rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    return any(row[:2] == pid_file_lines[6].split() and int(row[6]) > 0 for row in rows)


def _environ() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
