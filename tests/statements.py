"""The statements that tests send to the database, through Django's cursors or others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from psycopg import Cursor, sql


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that any cursor executes inside the block."""
    collected: list[str] = []
    execute = Cursor.execute

    def collect(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query.as_string() if isinstance(query, sql.Composable) else query
        collected.append(text.decode() if isinstance(text, bytes) else text)
        return execute(cursor, query, *args, **kwargs)

    with patch.object(Cursor, "execute", collect):
        yield collected
