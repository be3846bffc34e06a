"""Database connections and their role.

The web server and the workers assume a role that row-level security applies to. Only migrations, and commands that ask
for it, use the role that owns the tables.
"""

import hashlib
import math
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, LiteralString, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from django.db.models import Model, QuerySet
from psycopg import abc, sql
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from paliapi.roles import APP

# An idle transaction may hold locks, so Postgres ends it after this time.
_IDLE_IN_TRANSACTION = "45s"
_NEVER = 2**31

# Seconds that a statement of the current request may take. The thread keeps it until its next request, so that it also
# applies to what a response does while it is sent. Workers have no such limit.
statement_limit_s: ContextVar[float] = ContextVar("statement_limit_s", default=math.inf)


def database_settings(url: str, *, pool_size: int = 0, role: str = APP, statement_timeout_s: int = 0) -> dict[str, Any]:
    """Return Django's database settings for `url`; with an empty role, that of the login."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    options.setdefault("connect_timeout", "5")
    options.setdefault("application_name", "paliapi")
    if role:
        # Not Django's `assume_role`, which deadlocks with its connection pool.
        bounds = f"-c role={role} -c idle_in_transaction_session_timeout={_IDLE_IN_TRANSACTION}"
        options["options"] = f"{options.get('options', '')} {bounds}".strip()
    if statement_timeout_s:
        options["options"] = f"{options.get('options', '')} -c statement_timeout={statement_timeout_s}s".strip()
    # psycopg prepares nothing, however often it runs: it would deallocate what `execute_together` has prepared.
    options["prepare_threshold"] = _NEVER
    if pool_size:
        options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 5, "max_lifetime": 600}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": not pool_size,
        "OPTIONS": options,
    }


def binary_cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """Return a cursor that sends values separately from the statement, unlike Django's own."""
    connection.ensure_connection()
    return psycopg.Cursor[tuple[Any, ...]](connection.connection)


class ConstantQuery:
    """A query whose conditions never change, for those that are executed often: its SQL is generated only once.

    Django takes longer to generate the SQL of a complex query than Postgres to execute it.
    """

    def __init__(self, make: "Callable[[], QuerySet[Any, Any]]") -> None:
        self._make = make
        self._sql: tuple[str, tuple[Any, ...]] | None = None
        self._command: Command | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """Execute the query, and return the rows with the columns that it selects."""
        with connection.cursor() as cursor:
            cursor.execute(*self._compiled())
            return list(cursor.fetchall())

    def command(self) -> "Command":
        """Return the query for `execute_together`, with its conditions as literals.

        With parameters for them, Postgres could not prove that a partial index contains the rows.
        """
        if self._command is None:
            connection.ensure_connection()
            text, values = self._compiled()
            binding = psycopg.ClientCursor[Row](connection.connection)
            self._command = Command(binding.mogrify(text.encode(), values).encode())
        return self._command

    def _compiled(self) -> tuple[str, tuple[Any, ...]]:
        if self._sql is None:
            self._sql = self._make().query.sql_with_params()
        return self._sql


def array_of_numbers(numbers: Iterable[int]) -> str:
    """Return a value for a parameter `%s::bigint[]`. psycopg takes longer to convert a list."""
    return f"{{{','.join(map(str, numbers))}}}"


def array_of_texts(texts: Iterable[str] | None) -> str | None:
    """Return a value for a parameter `%s::text[]`; None for NULL."""
    if texts is None:
        return None
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def statement(text: LiteralString, **tables: type[Model]) -> bytes:
    """Insert table names into SQL, for a statement that is prepared once and executed often."""
    names = {name: sql.Identifier(model._meta.db_table) for name, model in tables.items()}
    return sql.SQL(text).format(**names).as_bytes()


Value: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[Any, ...]


class Command(NamedTuple):
    """A statement with `%s` for each of its values. Postgres infers their types, and plans it once per connection.

    Bytes are sent as they are, in the binary form of their type; other values as text.
    """

    statement: bytes
    values: Sequence[Value] = ()


_BEGIN = Command(b"BEGIN")
COMMIT = Command(b"COMMIT")
# The commit of this transaction does not wait for the disk. A crash of Postgres may undo it as a whole.
WITHOUT_SYNC = Command(b"SELECT set_config('synchronous_commit', 'off', true)")
_prepared: WeakKeyDictionary[psycopg.Connection[Any], set[bytes]] = WeakKeyDictionary()


def execute_together(*commands: Command) -> list[list[Row]]:
    """Execute statements in one round trip, and return the rows of each.

    If the connection is not in a transaction, they are one, of which nothing remains after an error.

    psycopg's own pipelines take several system calls for each statement, after all of which a thread has to wait for
    the interpreter's lock.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        postgres: psycopg.Connection[Any] = connection.connection
        begins = not postgres.autocommit and postgres.pgconn.transaction_status == TransactionStatus.IDLE
        results = _send([_BEGIN, *commands] if begins else commands, postgres)
        transformer = Transformer(postgres)  # it remembers how to load each type
        return [_rows(result, transformer) for result in results[begins:]]


def _send(commands: Sequence[Command], postgres: psycopg.Connection[Any]) -> list[PGresult]:
    pgconn, prepared = postgres.pgconn, _prepared.setdefault(postgres, set())
    values = [[_to_wire(value) for value in command.values] for command in commands]
    names: list[bytes | None] = []  # of the statement that is prepared; None: one is executed
    pgconn.enter_pipeline_mode()
    try:
        for command, wire in zip(commands, values, strict=True):
            name, numbered = _to_prepare(command.statement)
            if name not in prepared and name not in names:
                pgconn.send_prepare(name, numbered)
                names.append(name)
            formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in command.values]
            pgconn.send_query_prepared(name, wire, formats, result_format=Format.BINARY)
            names.append(None)
        pgconn.pipeline_sync()
        results = _read_results(pgconn)
    except BaseException:
        pgconn.finish()  # the results that are left would be taken for those of the next statements
        raise
    if pgconn.status == ConnStatus.OK:
        pgconn.exit_pipeline_mode()
    for preparing, result in zip(names, results, strict=False):
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        if preparing is not None:
            prepared.add(preparing)
    return [result for preparing, result in zip(names, results, strict=True) if preparing is None]


def _read_results(pgconn: PGconn) -> list[PGresult]:
    """Wait for all results before the synchronisation; there are fewer if the connection is lost."""
    results: list[PGresult] = []
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        poll.poll()
        pgconn.consume_input()
    poll.modify(pgconn.socket, select.POLLIN)
    is_last = False
    while True:
        while pgconn.is_busy():
            poll.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            # The results of a statement have ended, or there will never be another one.
            if is_last:
                return results
            is_last = True
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)
        is_last = False


def _rows(result: PGresult, transformer: abc.Transformer) -> list[Row]:
    if not result.ntuples:
        return []
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _to_wire(value: Value) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    text = str(value).encode()
    if b"\0" in text:
        raise psycopg.DataError("Text for Postgres may not contain NUL.")
    return text


@cache
def _to_prepare(statement: bytes) -> tuple[bytes, bytes]:
    """Return the name of a statement, and its text as Postgres wants it."""
    first, *others = statement.split(b"%s")
    numbered = first + b"".join(b"$%d%s" % (number, part) for number, part in enumerate(others, 1))
    return b"paliapi_" + hashlib.sha256(numbered).hexdigest()[:16].encode(), numbered


def release_connection() -> None:
    """Return this thread's connection to the pool before a pause, unless it is in a transaction."""
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def as_table_owner(url: str) -> Iterator[None]:
    """Connect to the default database with the login in `url`, which owns the tables, for the length of the block."""
    with as_login(url, role=""):
        yield


@contextmanager
def as_login(url: str, *, role: str = APP) -> Iterator[None]:
    """Connect to the default database with the login in `url` for the length of the block."""
    previous = connection.settings_dict
    connection.close()
    connection.settings_dict = {**previous, **database_settings(url, role=role)}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = previous
