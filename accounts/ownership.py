"""Whose rows the database shows.

Row-level security is the second line: every query also names its owner. The first is safety, the second is the plan.
The context lives and dies with a transaction, so a pooled connection carries nothing to the next request.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL
from psycopg import sql

from paliapi.database import binary_cursor
from paliapi.roles import APP, STAFF

_IS_MINE = "owner_id = (SELECT nullif(current_setting('app.owner', true), '')::bigint)"

_AS_OWNER = "SELECT set_config('app.owner', %s, true)"
_WITH_KEY = "SELECT set_config('app.key', %s, true)"


@dataclass(frozen=True, slots=True)
class OwnerTransaction:
    """Proof that a transaction is open which sees and writes the rows of one owner.

    Functions that need such a transaction take one as their first argument. Only `acting_for` creates them.
    """

    owner_id: int


@contextmanager
def acting_for(owner_id: int, *, until: float = math.inf) -> Iterator[OwnerTransaction]:
    """Open a transaction that sees and writes the rows of one owner.

    A statement still running at `until` (`time.monotonic`) is cancelled.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _one("SELECT current_setting('app.owner', true)") if nested else ""
        if until < math.inf:
            left_ms = max(1, int(1000 * (until - time.monotonic())))
            both = "SELECT set_config('app.owner', %s, true), set_config('statement_timeout', %s, true)"
            _one(both, str(owner_id), str(left_ms))
        else:
            _one(_AS_OWNER, str(owner_id))
        yield OwnerTransaction(owner_id)
        # The end of a transaction clears the value; so does the rollback to here after an error.
        if nested:
            _one(_AS_OWNER, before)


def one_at_a_time(owner_id: int) -> None:
    """Let others of this owner who would come here wait until this transaction ends: who counts before adding."""
    _one("SELECT id FROM accounts_customuser WHERE id = %s FOR NO KEY UPDATE", str(owner_id))


def seen_with_key(public_id: str, statement: bytes | sql.SQL, *params: str) -> tuple[Any, ...] | None:
    """The first row of a statement that may read the one key with this public id, whoever owns it.

    Every request begins with it, so it is sent at once, for one transaction, and planned once for each connection.
    """
    with connection.wrap_database_errors, binary_cursor() as context, binary_cursor() as reader:
        with reader.connection.pipeline():
            context.execute(_WITH_KEY, [public_id], prepare=True)
            reader.execute(statement, params, prepare=True, binary=True)
            # It ends with the transaction, which is over at once unless there was one before.
            if connection.in_atomic_block:
                context.execute(_WITH_KEY, [""], prepare=True)
        return reader.fetchone()


@contextmanager
def acting_as_staff() -> Iterator[None]:
    """A transaction that sees every owner's rows: the admin, housekeeping, commands."""
    with transaction.atomic():
        before = _one("SELECT current_user")
        _role(STAFF)
        yield
        _role(before)


def _one(statement: str, *params: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    return str(row[0] or "") if row else ""


def _role(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(name)}")


def protect(table: str) -> RunSQL:
    """The migration step that puts a table with an `owner_id` under row-level security."""
    return RunSQL(
        sql=[
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY owner_only ON {table} TO {APP} USING ({_IS_MINE}) WITH CHECK ({_IS_MINE})",
            f"CREATE POLICY staff_all ON {table} TO {STAFF} USING (true) WITH CHECK (true)",
        ],
        reverse_sql=[
            f"DROP POLICY staff_all ON {table}",
            f"DROP POLICY owner_only ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ],
    )


def belongs_together(*, child: str, column: str, parent: str, on_delete: str) -> RunSQL:
    """The foreign key over (owner_id, column): a child can never belong to another owner than its parent."""
    name = f"{child}_{column}_same_owner"
    return RunSQL(
        sql=(
            f"ALTER TABLE {child} ADD CONSTRAINT {name} FOREIGN KEY (owner_id, {column}) "
            f"REFERENCES {parent} (owner_id, id) ON DELETE {on_delete}"
        ),
        reverse_sql=f"ALTER TABLE {child} DROP CONSTRAINT {name}",
    )
