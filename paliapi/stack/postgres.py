"""The embedded Postgres: made once, listening on a socket in its own folder, with no password-free door but ours.

`postgres`, the superuser, is let in by who we are to the operating system (peer); every other role by
its password (SCRAM). There is no TCP.
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
from paliapi.roles import APP, OWNER
from paliapi.stack import account as accounts
from paliapi.stack import postgres_binaries, processes
from paliapi.stack.child import Child, Command
from paliapi.stack.home import Home
from paliapi.stack.logs import telling_line
from paliapi.stack.trouble import Trouble, in_words

SUPERUSER = "postgres"
DATABASE = "paliapi"
_SOCKET = ".s.PGSQL.5432"

# For a laptop: most of its memory stays with the page cache and with the programs of its owner.
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
    # The text of a failed statement may hold what people search for; the applications log what failed.
    "log_min_error_statement": "panic",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


class Postgres:
    """The database of one home: how it is made, started and asked."""

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self.data = home.path / "postgres"
        self.log = home.logs / "postgres.log"
        self.socket_folder = home.socket_folder(self.data, _SOCKET)
        self._account = accounts.for_postgres(self.data)
        self._programs: Path | None = None

    def url_for(self, role: str, database: str = DATABASE, *, password: str = "") -> str:
        """The URL under which a client reaches the database as this role."""
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{role}{secret}@/{quote(database, safe='')}?host={quote(str(self.socket_folder), safe='')}"

    def prepare(self) -> None:
        """Leave nothing between here and a start: programs, data, rules of entry, leftovers of a killed server."""
        try:
            self._programs = postgres_binaries.find(self._account)
            if not self._is_made():
                self._make()
            self._refuse_foreign()
            if self._account:
                self._account.takes(self.data)
            self._end_leftover()
            self._write_rules_of_entry()
        except OSError as problem:
            raise in_words(problem, place=self.data) from problem

    def command(self) -> Command:
        """What starts the server; `prepare` comes first."""
        tuning = _TUNING | ({} if self._durable else _FORGETFUL)
        options = [word for name, value in tuning.items() for word in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            argv=(self._program("postgres"), "-D", self._from_inside(self.data), *options),
            environ=_environ(),
            cwd=self.data,
            stop_signal=signal.SIGINT,
            spawn_options=self._account.spawn_options if self._account else {},
        )

    def answers(self) -> bool:
        """Can one connect? No, while it starts or recovers; the server's own note says so without a failed attempt."""
        if "ready" not in self._note():
            return False
        try:
            self.connect(SUPERUSER).close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str) -> psycopg.Connection:
        """A connection as the superuser, in autocommit."""
        return psycopg.connect(self.url_for(SUPERUSER, database), autocommit=True, connect_timeout=5)

    def furnish(self, passwords: Mapping[str, str]) -> None:
        """Make the roles, their passwords, the database and its extension, as far as they are missing."""
        with self.connect("template1") as connection:
            # Every database made from the template has the extension, those of tests too.
            enable_extension(connection)
        bootstrap(self.connect, database=DATABASE, passwords=passwords, start=SUPERUSER)

    def _is_made(self) -> bool:
        if not self.data.exists():
            return False
        if (self.data / "PG_VERSION").is_file():
            return True
        try:
            self.data.rmdir()
        except OSError:
            raise Trouble(f"The folder {self.data} holds something, but no database; move it away.") from None
        return False

    def _refuse_foreign(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != postgres_binaries.MAJOR:
            raise Trouble(
                f"The data in {self.data} was written by Postgres {version}, and this is Postgres "
                f"{postgres_binaries.MAJOR}: start the release that wrote it, dump the database, and load it here."
            )
        owner = self.data.stat().st_uid
        if not self._account and owner != os.geteuid():
            raise Trouble(
                f"The database folder {self.data} belongs to {accounts.name_of(owner)}; run this as its owner."
            )

    def _make(self) -> None:
        """Make it beside its place and move it there when it is whole: a killed start leaves nothing half done."""
        for forsaken in self._home.run.glob("postgres-draft-*"):
            shutil.rmtree(forsaken)
        draft = Path(tempfile.mkdtemp(prefix="postgres-draft-", dir=self._home.run))
        if self._account:
            self._account.takes(draft)
        argv = [
            self._program("initdb"),
            *("-D", self._from_inside(draft), "-U", SUPERUSER),
            *("--auth-local=peer", "--auth-host=reject", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self._durable else ["--no-sync"]),
        ]
        accounts.own_name()
        answer = subprocess.run(
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
            log.write(answer.stdout + answer.stderr)
        if answer.returncode != 0:
            raise Trouble(f"The database could not be made: {telling_line(answer.stderr)} (see {self.log}).")
        draft.rename(self.data)

    def _note(self) -> list[str]:
        """What a server writes into its data: its number, where, since when, ..., and at last `ready`."""
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []

    def _from_inside(self, folder: Path) -> str:
        """How a program that starts in `folder` under another account names it: that account may be unable to
        walk there from the root, as when root's checkout is closed to all others."""
        return "/proc/self/cwd" if self._account and Path("/proc/self/cwd").exists() else str(folder)

    def _program(self, name: str) -> str:
        if self._programs is None:
            self._programs = postgres_binaries.find(self._account)
        return str(self._programs / "bin" / name)

    def _write_rules_of_entry(self) -> None:
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
        """We hold the lock of the home, so a server that still runs over this folder belongs to nobody."""
        lines = self._note()
        if len(lines) < 3 or not (lines[0].isdigit() and lines[2].isdigit()):
            return
        pid = int(lines[0])
        if not processes.alive(pid):
            # Killed outright. Its own children take a moment to notice, and until then a new server refuses to start.
            processes.wait_until(lambda: not _is_attached(lines), within_s=10)
            return
        if not (processes.is_same(pid, float(lines[2])) and processes.program(pid) == "postgres"):
            # The number belongs to another process by now. Postgres would take it for a server and not start, unless
            # it is its parent's number. The rest of the note stays: Postgres still looks for the old shared memory.
            self._write("postmaster.pid", "\n".join([str(os.getpid()), *lines[1:], ""]))
            return
        for number, patience_s in ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            processes.signal_one(pid, number)
            if processes.wait_until(lambda: not processes.alive(pid), within_s=patience_s):
                return
        raise Trouble(f"A Postgres of an earlier start (process {pid}) does not end; end it by hand.")


@dataclass(slots=True)
class RunningPostgres:
    """A server of one's own, outside the supervisor: for tests and single commands."""

    postgres: Postgres
    passwords: Mapping[str, str]
    child: Child

    def url_for(self, role: str, database: str = DATABASE) -> str:
        """The URL for this role, its password included."""
        return self.postgres.url_for(role, database, password=self.passwords.get(role, ""))

    def stop(self) -> None:
        """Stop it, and leave the data as they are."""
        self.child.stop(within_s=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()


def start_postgres(home: Home, *, durable: bool = True, passwords: Mapping[str, str] | None = None) -> RunningPostgres:
    """Start a server over this home and wait until the roles and the database are there."""
    postgres = Postgres(home, durable=durable)
    postgres.prepare()
    running = RunningPostgres(
        postgres,
        passwords or {role: secrets.token_urlsafe(24) for role in (OWNER, APP)},
        Child(postgres.command(), log=postgres.log),
    )
    try:
        processes.wait_until(lambda: postgres.answers() or running.child.exit_code() is not None, within_s=60)
        if running.child.exit_code() is not None or not postgres.answers():
            raise Trouble(f"Postgres did not start: {running.child.reason()}.")
        postgres.furnish(running.passwords)
    except BaseException:
        running.stop()
        raise
    return running


def _is_attached(note: list[str]) -> bool:
    """Does a process still use the shared memory that the server named in its note?"""
    table = Path("/proc/sysvipc/shm")
    if len(note) < 7 or not table.is_file():
        return False
    rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    return any(row[:2] == note[6].split() and int(row[6]) > 0 for row in rows)


def _environ() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
