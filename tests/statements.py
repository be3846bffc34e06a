"""What the database is asked, whether through Django's cursor or past it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from psycopg import Cursor, sql


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that any cursor is given until the block ends."""
    sent: list[str] = []
    execute = Cursor.execute

    def noting(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query.as_string() if isinstance(query, sql.Composable) else query
        sent.append(text.decode() if isinstance(text, bytes) else text)
        return execute(cursor, query, *args, **kwargs)

    with patch.object(Cursor, "execute", noting):
        yield sent
