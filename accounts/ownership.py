"""Whose rows the database shows.

Row-level security is the second line: every query also names its owner. The first is safety, the second is the plan.
The context lives and dies with a transaction, so a pooled connection carries nothing to the next request.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL

from paliapi.roles import APP, STAFF

_IS_MINE = "owner_id = (SELECT nullif(current_setting('app.owner', true), '')::bigint)"


@contextmanager
def acting_for(owner_id: int, *, until: float = math.inf) -> Iterator[None]:
    """A transaction that sees and writes the rows of one owner.

    A statement that would go on after `until`, by `time.monotonic`, is cancelled.
    """
    with _transaction_with("app.owner", str(owner_id), until=until):
        yield


def one_at_a_time(owner_id: int) -> None:
    """Let others of this owner who would come here wait until this transaction ends: who counts before adding."""
    _one("SELECT id FROM accounts_customuser WHERE id = %s FOR NO KEY UPDATE", str(owner_id))


@contextmanager
def presenting_key(public_id: str) -> Iterator[None]:
    """A transaction that may read the one key with this public id, whoever owns it."""
    with _transaction_with("app.key", public_id):
        yield


@contextmanager
def acting_as_staff() -> Iterator[None]:
    """A transaction that sees every owner's rows: the admin, housekeeping, commands."""
    with transaction.atomic():
        before = _one("SELECT current_user")
        _role(STAFF)
        yield
        _role(before)


@contextmanager
def _transaction_with(name: str, value: str, *, until: float = math.inf) -> Iterator[None]:
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _one("SELECT current_setting(%s, true)", name) if nested else ""
        if until < math.inf:
            left_ms = max(1, int(1000 * (until - time.monotonic())))
            both = "SELECT set_config(%s, %s, true), set_config('statement_timeout', %s, true)"
            _one(both, name, value, str(left_ms))
        else:
            _one("SELECT set_config(%s, %s, true)", name, value)
        yield
        # The end of a transaction forgets the value; so does the rollback to here that an error brings.
        if nested:
            _one("SELECT set_config(%s, %s, true)", name, before)


def _one(sql: str, *params: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
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
