"""Bootstrapping a database as a superuser and as the administrator of a managed Postgres."""

from pathlib import Path

import psycopg

from paliapi.database_bootstrap import bootstrap
from paliapi.roles import (
    APP,
    GRANTEES,
    HOUSEKEEPING,
    LOGINS,
    MAY_ASSUME,
    METRICS,
    OWNER,
    STAFF,
    STAFF_LOGIN,
    WORKER,
    memberships_sql,
)
from paliapi.stack.home import open_home
from paliapi.stack.postgres import SUPERUSER, RunningPostgres, start_postgres

PASSWORDS = {role: f"{role}'s password" for role in LOGINS}


def connect(running: RunningPostgres, role: str, database: str, password: str = "") -> psycopg.Connection:
    return psycopg.connect(running.postgres.url_for(role, database, password=password), autocommit=True)


def test_bootstrap_is_repeatable_also_without_superuser(tmp_path: Path) -> None:
    with start_postgres(open_home(tmp_path / "home"), durable=False) as running:
        with connect(running, SUPERUSER, "postgres") as superuser:
            superuser.execute("DROP DATABASE paliapi")
            for role in (*GRANTEES, OWNER):
                superuser.execute(f"DROP ROLE {role}".encode())
            superuser.execute("CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss'")

        def as_boss(database: str) -> psycopg.Connection:
            return connect(running, "boss", database, "boss")

        bootstrap(as_boss, database="documents", passwords=PASSWORDS)
        left = bootstrap(as_boss, database="documents", passwords=PASSWORDS)
        assert any("LEAKPROOF" in statement for statement in left)
        with connect(running, SUPERUSER, "documents") as superuser:
            for statement in left:
                superuser.execute(statement.encode())
        for role, password in PASSWORDS.items():
            with connect(running, role, "documents", password) as connection:
                assert connection.execute("SELECT '[1]'::vector <-> '[2]'").fetchone() == (1.0,)
        again = bootstrap(
            lambda database: connect(running, SUPERUSER, database), database="documents", passwords=PASSWORDS
        )
        assert again == []


def test_roles_of_an_earlier_release_are_corrected(tmp_path: Path) -> None:
    with start_postgres(open_home(tmp_path / "home"), durable=False) as running:
        with connect(running, SUPERUSER, "postgres") as superuser:
            superuser.execute(f"GRANT {STAFF} TO {APP} WITH INHERIT FALSE, SET TRUE".encode())
            for role in (WORKER, STAFF_LOGIN, HOUSEKEEPING, METRICS):
                superuser.execute(f"DROP ROLE {role}".encode())
        running.postgres.bootstrap(PASSWORDS)
        with connect(running, SUPERUSER, "postgres") as superuser:
            memberships = set(superuser.execute(memberships_sql().encode()).fetchall())
        assert memberships == {(login, role) for login, roles in MAY_ASSUME.items() for role in roles}
        for login in LOGINS:
            connect(running, login, "paliapi", PASSWORDS[login]).close()
