"""The statements that tests send to the database, through Django's cursors or others, and those that wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from psycopg import Cursor, sql

from paliapi import database
from paliapi.database import COMMIT, Command


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that are executed inside the block, without the beginnings and ends of transactions."""
    collected: list[str] = []
    execute, send = Cursor.execute, database._send

    def collect(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query.as_string() if isinstance(query, sql.Composable) else query
        collected.append(text.decode() if isinstance(text, bytes) else text)
        return execute(cursor, query, *args, **kwargs)

    def collect_together(commands: Sequence[Command], *args: Any) -> Any:
        collected.extend(one.statement.decode() for one in commands if one not in (database._BEGIN, COMMIT))
        return send(commands, *args)

    with patch.object(Cursor, "execute", collect), patch.object(database, "_send", collect_together):
        yield collected


def is_somebody_waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone() != (0,))
