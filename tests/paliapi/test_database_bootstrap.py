"""Bootstrapping a database as a superuser and as the administrator of a managed Postgres."""

from pathlib import Path

import psycopg

from paliapi.database_bootstrap import bootstrap
from paliapi.roles import APP, OWNER, STAFF
from paliapi.stack.home import open_home
from paliapi.stack.postgres import SUPERUSER, RunningPostgres, start_postgres

PASSWORDS = {OWNER: "owner's password", APP: "app's password"}


def connect(running: RunningPostgres, role: str, database: str, password: str = "") -> psycopg.Connection:
    return psycopg.connect(running.postgres.url_for(role, database, password=password), autocommit=True)


def test_bootstrap_is_repeatable_also_without_superuser(tmp_path: Path) -> None:
    with start_postgres(open_home(tmp_path / "home"), durable=False) as running:
        with connect(running, SUPERUSER, "postgres") as superuser:
            superuser.execute("DROP DATABASE paliapi")
            for role in (STAFF, APP, OWNER):
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
