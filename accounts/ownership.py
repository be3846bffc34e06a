"""The owner whose rows a database transaction sees.

Row-level security is the second line of defence: every query also names its owner. Naming it makes queries fast;
row-level security makes mistakes harmless. The setting ends with its transaction, so a pooled connection carries
nothing over to the next request.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.management import CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.operations import RunSQL

from paliapi.database import COMMIT, Command, Row, Value, execute_together, statement_limit_s
from paliapi.errors import Unavailable
from paliapi.roles import APP, HOUSEKEEPING, METRICS, SIGN_IN, STAFF, STAFF_LOGIN

_OWNER_MATCHES = "owner_id = (SELECT nullif(current_setting('app.owner', true), '')::bigint)"

_SET_OWNER = "SELECT set_config('app.owner', %s, true)"
_TIMEOUT = "set_config('statement_timeout', %s, true)"
_SET_TIMEOUT = f"SELECT {_TIMEOUT}".encode()
_SET_OWNER_AND_TIMEOUT = f"{_SET_OWNER}, {_TIMEOUT}".encode()
# First key of the advisory lock of an owner; the second is the owner.
_OWNER_LOCK = 0x6F776E72

_SET_ROLE = b"SELECT set_config('role', %s, true)"  # lasts until the end of the transaction
_SET_KEY = b"SELECT set_config('app.key', %s, true)"


class SignInUnavailable(Unavailable):
    code = "sign_in_unavailable"
    title = "The database login of this server may not check passwords; set DATABASE_SIGN_IN_URL."


@dataclass(frozen=True, slots=True)
class OwnerTransaction:
    """Proof that a transaction is open which sees and writes the rows of one owner.

    Functions that need such a transaction take one as their first argument. Only `acting_for` creates them.
    """

    owner_id: int
    is_nested: bool = False
    first: Sequence[tuple[Command, list[Row]]] = ()  # the statements that it began with, and their rows

    def read(self, command: Command) -> list[Row]:
        """Return the rows of a statement, without a round trip if the transaction began with it."""
        for executed, rows in self.first:
            if executed == command:
                return rows
        return execute_together(command)[0]

    def read_last(self, command: Command) -> list[Row]:
        """Return the rows of a statement, and end the transaction in the same round trip, unless it is nested."""
        return execute_together(command, *([] if self.is_nested else [COMMIT]))[0]


@contextmanager
def acting_for(
    owner_id: int, *, until: float = math.inf, first: Command | Sequence[Command] | None = None
) -> Iterator[OwnerTransaction]:
    """Open a transaction that sees and writes the rows of one owner. It may begin with statements of the caller's.

    A statement is cancelled if it takes longer than `statement_limit_s`, or is still running at `until`
    (`time.monotonic`).
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        previous_owner = _scalar("SELECT current_setting('app.owner', true)") if nested else ""
        limit_s = min(statement_limit_s.get(), until - time.monotonic())
        context = (
            Command(_SET_OWNER.encode(), [str(owner_id)])
            if limit_s == math.inf
            else Command(_SET_OWNER_AND_TIMEOUT, [str(owner_id), _milliseconds(limit_s)])
        )
        commands = [first] if isinstance(first, Command) else first or []
        _, *results = execute_together(context, *commands)
        yield OwnerTransaction(owner_id, nested, list(zip(commands, results, strict=True)))
        # The end of a transaction clears the value, and so does a rollback to the savepoint after an error.
        if nested:
            _scalar(_SET_OWNER, previous_owner)


def lock_owner(tx: OwnerTransaction) -> None:
    """Make concurrent transactions of this owner that call this too wait for this one: to count before adding."""
    # Not a lock on the user's row, which the web server may not change.
    _scalar("SELECT pg_advisory_xact_lock(%s, %s)", str(_OWNER_LOCK), str(tx.owner_id % 2**31))


def fetch_with_key(public_id: str, statement: bytes, *values: Value) -> Row | None:
    """Return the first row of a statement that may read the key with this public id, whichever owner it has.

    Every request starts with it, so it takes one round trip and one transaction, and each connection plans it once.
    """
    # The setting ends with its transaction.
    reset = [Command(_SET_KEY, [""])] if connection.in_atomic_block else []
    _, rows, *_ = execute_together(Command(_SET_KEY, [public_id]), Command(statement, values), *reset)
    return rows[0] if rows else None


@contextmanager
def acting_as_staff() -> Iterator[None]:
    """Open a transaction that sees every owner's rows: for the admin and for commands."""
    with _acting_as(STAFF):
        yield


@contextmanager
def acting_as_housekeeping(*first: Command) -> Iterator[list[list[Row]]]:
    """Open a transaction that claims work and deletes what has expired, of all owners: for workers.

    It may begin with statements of the caller's, whose rows it yields.
    """
    with _acting_as(HOUSEKEEPING, *first) as results:
        yield results


@contextmanager
def counting_for_metrics() -> Iterator[None]:
    """Open a transaction that counts the rows of all owners."""
    with _acting_as(METRICS):
        yield


@contextmanager
def acting_as_sign_in() -> Iterator[None]:
    """Open a transaction that sees passwords, second factors and sessions, and no rows of owners.

    It is for installations with one login for everything; otherwise, this role is a login of its own.
    """
    try:
        with _acting_as(SIGN_IN):
            yield
    except ProgrammingError as exc:
        if "permission denied to set role" in str(exc):
            raise SignInUnavailable from exc
        raise


@contextmanager
def managing_users() -> Iterator[None]:
    """Let this connection read and write users, and see no rows of owners: for commands.

    A command may wait for input, so it is no transaction unless one is open already.
    """
    if settings.ENV.part or _scalar("SELECT pg_has_role(session_user, %s, 'SET')::int::text", STAFF_LOGIN) != "1":
        raise CommandError(
            f"This process may not manage users. Run the command without PALIAPI_PART, and with {STAFF_LOGIN} in "
            "DATABASE_STAFF_URL; in containers: docker-compose run --rm roles python manage.py ..."
        )
    if connection.in_atomic_block:
        with _acting_as(STAFF_LOGIN):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {connection.ops.quote_name(STAFF_LOGIN)}")
    try:
        yield
    finally:
        # To that of the session's start. Closing would return the connection to the pool with this role.
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


@contextmanager
def _acting_as(role: str, *first: Command) -> Iterator[list[list[Row]]]:
    nested = connection.in_atomic_block
    with transaction.atomic():
        previous_role = _scalar("SELECT current_user") if nested else ""
        limit_s = statement_limit_s.get()
        context = [Command(_SET_ROLE, [role])]
        if limit_s < math.inf:
            context.append(Command(_SET_TIMEOUT, [_milliseconds(limit_s)]))
        yield execute_together(*context, *first)[len(context) :]
        # The end of a transaction restores the role, and so does a rollback to the savepoint after an error.
        if nested:
            execute_together(Command(_SET_ROLE, [previous_role]))


def _milliseconds(seconds: float) -> str:
    """Return a value of `statement_timeout`, where 0 would mean no limit."""
    return str(max(1, int(1000 * seconds)))


def _scalar(statement: str, *params: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    return str(row[0] or "") if row else ""


def protect(table: str) -> RunSQL:
    """Return the migration step that puts a table with an `owner_id` under row-level security."""
    return RunSQL(
        sql=[
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY owner_only ON {table} TO {APP} USING ({_OWNER_MATCHES}) WITH CHECK ({_OWNER_MATCHES})",
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
    """Return the migration step for a foreign key over (owner_id, column), so that child and parent have one owner."""
    name = f"{child}_{column}_same_owner"
    return RunSQL(
        sql=(
            f"ALTER TABLE {child} ADD CONSTRAINT {name} FOREIGN KEY (owner_id, {column}) "
            f"REFERENCES {parent} (owner_id, id) ON DELETE {on_delete}"
        ),
        reverse_sql=f"ALTER TABLE {child} DROP CONSTRAINT {name}",
    )
