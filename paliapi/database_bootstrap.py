"""Creating what the migrations need in Postgres: roles, their passwords, the database and the extension.

This takes an administrator who may create roles and databases: a superuser, or its equivalent in a managed Postgres.
"""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql

from paliapi.roles import OWNER, create_roles_sql, open_indexes_sql

Connect = Callable[[str], psycopg.Connection]


def bootstrap(connect: Connect, *, database: str, passwords: Mapping[str, str], start: str = "postgres") -> list[str]:
    """Create what is missing, and return the SQL that this administrator lacks the permission to run.

    `connect` opens the administrator's connection to the named database, in autocommit mode.
    """
    with connect(start) as connection:
        connection.execute(create_roles_sql())
        for role, password in passwords.items():
            _set_password(connection, role, password)
        if _is_missing(connection, database):
            # Creating a database for another owner requires membership in that role.
            if not _is_superuser(connection):
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
            names = sql.Identifier(database), sql.Identifier(OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    with connect(database) as connection:
        return enable_extension(connection)


def enable_extension(connection: psycopg.Connection) -> list[str]:
    """Enable the extension and its indexes in this database, and return the SQL that needs more permissions."""
    forbidden = []
    for statement in ("CREATE EXTENSION IF NOT EXISTS vector", "ALTER EXTENSION vector UPDATE", open_indexes_sql()):
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            forbidden.append(f"{statement.removesuffix(';')};")
    return forbidden


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return row == (True,)


def _is_missing(connection: psycopg.Connection, database: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set a role's password; the server and its log see only the SCRAM verifier."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
