"""Database connections and their role.

The web server and the workers assume a role that row-level security applies to. Only migrations, and commands that ask
for it, use the role that owns the tables.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, LiteralString
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from django.db import connection
from django.db.models import Model, QuerySet
from psycopg import sql

from paliapi.roles import APP

# An idle transaction may hold locks, so Postgres ends it after this time.
_IDLE_IN_TRANSACTION = "45s"
_NEVER = 2**31

# Seconds that a statement of the current request may take. The thread keeps it until its next request, so that it also
# applies to what a response does while it is sent. Workers have no such limit.
statement_limit_s: ContextVar[float] = ContextVar("statement_limit_s", default=math.inf)


def database_settings(url: str, *, pool_size: int = 0, role: str = APP) -> dict[str, Any]:
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
    # Only statements executed with `prepare=True` are prepared, however often others run.
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

    def rows(self) -> list[tuple[Any, ...]]:
        """Execute the query, and return the rows with the columns that it selects."""
        if self._sql is None:
            self._sql = self._make().query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(*self._sql)
            return list(cursor.fetchall())


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
