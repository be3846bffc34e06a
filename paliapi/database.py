"""Where the database is, and under which role we speak to it.

The web and the workers assume a role that row-level security binds. Only migrations, and the
commands that are told to, speak as the role that owns the tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from django.db import connection
from django.db.models import Model
from psycopg import sql

from paliapi.roles import APP

# Who stands still in the middle of a transaction holds locks; after so long Postgres ends it, and others go on.
_IDLE_IN_TRANSACTION = "45s"
_NEVER = 2**31


def settings_for(url: str, *, pool_size: int = 0, role: str = APP) -> dict[str, Any]:
    """Django's database settings for `url`; no role: the one that logs in."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    options.setdefault("connect_timeout", "5")
    options.setdefault("application_name", "paliapi")
    if role:
        # Not Django's `assume_role`: together with its pool that waits for itself, for ever.
        bounds = f"-c role={role} -c idle_in_transaction_session_timeout={_IDLE_IN_TRANSACTION}"
        options["options"] = f"{options.get('options', '')} {bounds}".strip()
    # Statements are prepared where they ask for it, and no others, however often they come.
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
    """A cursor that sends values apart from the statement, which Django's own does not."""
    connection.ensure_connection()
    return psycopg.Cursor[tuple[Any, ...]](connection.connection)


def statement(text: LiteralString, **tables: type[Model]) -> bytes:
    """SQL with the names of tables in it, written once for a binary cursor that sends it again and again."""
    names = {name: sql.Identifier(model._meta.db_table) for name, model in tables.items()}
    return sql.SQL(text).format(**names).as_bytes()


def let_go() -> None:
    """Give this thread's connection back before a pause; inside a transaction it stays. The next query gets another."""
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def as_table_owner(url: str) -> Iterator[None]:
    """Speak to the default database as the role of `url`, which owns the tables, until the block ends."""
    usual = connection.settings_dict
    connection.close()
    connection.settings_dict = {**usual, **settings_for(url, role="")}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual
