"""Makes what must be in a Postgres before the migrations: roles, their passwords, the database, the extension.

It needs an administrator: a superuser, or what a managed Postgres gives in its place, who may make roles and databases.
"""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql

from paliapi.roles import OWNER, create_roles_sql, open_indexes_sql

Connect = Callable[[str], psycopg.Connection]


def furnish(connect: Connect, *, database: str, passwords: Mapping[str, str], start: str = "postgres") -> list[str]:
    """Make what is missing; `connect` gives the administrator's connection, in autocommit, to a database by its name.

    The answer is SQL that this administrator may not run and somebody else should.
    """
    with connect(start) as connection:
        connection.execute(create_roles_sql())
        for role, password in passwords.items():
            _set_password(connection, role, password)
        if _is_missing(connection, database):
            # Who gives a database away must be able to become its new owner.
            if not _is_superuser(connection):
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
            names = sql.Identifier(database), sql.Identifier(OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    with connect(database) as connection:
        return equip(connection)


def equip(connection: psycopg.Connection) -> list[str]:
    """Put the extension into the database of this connection, and open its indexes; the answer is as above."""
    left = []
    for statement in ("CREATE EXTENSION IF NOT EXISTS vector", "ALTER EXTENSION vector UPDATE", open_indexes_sql()):
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            left.append(f"{statement.removesuffix(';')};")
    return left


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return row == (True,)


def _is_missing(connection: psycopg.Connection, database: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Give a role a password; the server, and so its log, sees only the SCRAM verifier."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
