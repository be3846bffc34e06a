"""The embedded Postgres, started for real."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from paliapi.roles import APP, LOGINS, OWNER, STAFF, STAFF_LOGIN
from paliapi.stack import processes
from paliapi.stack.errors import StackError
from paliapi.stack.home import Home, open_home
from paliapi.stack.postgres import DATABASE, SUPERUSER, RunningPostgres, start_postgres


def _ask(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(question.encode()).fetchall()


def _start(home: Home) -> RunningPostgres:
    return start_postgres(home, durable=False)


def test_start_creates_roles_database_and_extension(home: Home) -> None:
    with _start(home) as running:
        for role in LOGINS:
            assert _ask(running.url_for(role), "SELECT current_user") == [(role,)]
        assert _ask(running.url_for(OWNER), "SELECT '[1,2]'::vector <-> '[1,2]'") == [(0.0,)]
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert _ask(running.url_for(APP), owner) == [(OWNER,)]


def test_roles_cannot_bypass_row_level_security(home: Home) -> None:
    with _start(home) as running:
        powerful = "SELECT rolname FROM pg_roles WHERE rolsuper OR rolbypassrls"
        assert _ask(running.url_for(SUPERUSER), powerful) == [(SUPERUSER,)]
        with psycopg.connect(running.url_for(STAFF_LOGIN)) as connection:
            connection.execute(f"SET ROLE {STAFF}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {OWNER}".encode())


def test_connection_requires_a_password(home: Home) -> None:
    with _start(home) as running:
        for role in LOGINS:
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(running.postgres.url_for(role))
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(running.postgres.url_for(role, password="guessed"))
        rules = _ask(running.url_for(SUPERUSER), "SELECT type, auth_method FROM pg_hba_file_rules")
        assert rules == [("local", "peer"), ("local", "scram-sha-256")]
        assert _ask(running.url_for(SUPERUSER), "SHOW listen_addresses") == [("",)]


def test_passwords_are_not_in_the_log(home: Home) -> None:
    with _start(home) as running:
        log = running.postgres.log.read_text()
        assert running.passwords
        assert not [password for password in running.passwords.values() if password in log]


def test_data_survives_a_restart(home: Home) -> None:
    with start_postgres(home) as running, psycopg.connect(running.url_for(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with start_postgres(home) as running:
        assert _ask(running.url_for(OWNER), "SELECT answer FROM kept") == [(42,)]


def test_killed_server_restarts_without_data_loss(home: Home) -> None:
    with start_postgres(home) as running:
        with psycopg.connect(running.url_for(OWNER)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(running.child.pid, signal.SIGKILL)
        assert processes.wait_until(lambda: running.child.exit_code() is not None, within_s=10)
    with start_postgres(home) as running:
        assert _ask(running.url_for(OWNER), "SELECT answer FROM kept") == [(42,)]


def test_abandoned_server_is_ended_by_the_next_start(home: Home) -> None:
    forgotten = _start(home)
    with _start(home) as running:
        assert forgotten.child.exit_code() == 0
        assert _ask(running.url_for(APP), "SELECT 1") == [(1,)]


def test_reused_process_id_in_the_pid_file_does_not_block_the_start(home: Home) -> None:
    with _start(home) as running:
        note = running.postgres.data / "postmaster.pid"
        lines = note.read_text().splitlines()
    with subprocess.Popen(["/bin/sleep", "60"]) as innocent:
        note.write_text("\n".join([str(innocent.pid), *lines[1:], ""]))
        with _start(home) as running:
            assert _ask(running.url_for(APP), "SELECT 1") == [(1,)]
        assert innocent.poll() is None
        innocent.kill()


def test_data_of_another_version_is_refused_and_unchanged(home: Home) -> None:
    with _start(home) as running:
        data = running.postgres.data
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(StackError, match="was written by Postgres 16, and this is Postgres 18"):
        _start(home)
    assert (data / "base").is_dir()


def test_folder_without_a_database_is_refused_and_unchanged(home: Home) -> None:
    (home.path / "postgres").mkdir()
    (home.path / "postgres" / "letters.txt").write_text("mine")
    with pytest.raises(StackError, match="is not empty but contains no database"):
        _start(home)
    assert (home.path / "postgres" / "letters.txt").read_text() == "mine"


def test_abandoned_draft_is_removed(home: Home) -> None:
    half_made = home.run / "postgres-draft-killed"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    with _start(home):
        assert not half_made.exists()


def test_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    home = open_home(tmp_path / ("a folder with a long name " * 6))
    with _start(home) as running:
        assert _ask(running.url_for(APP), "SELECT 1") == [(1,)]
    home.remove_short_names()


def test_failed_start_is_reported_with_the_log_line(home: Home) -> None:
    with _start(home) as running:
        data = running.postgres.data
    shutil.rmtree(data / "global")
    with pytest.raises(
        StackError, match=re.compile(r"Postgres did not start: .*global.*\(see .*postgres\.log\)", re.DOTALL)
    ):
        _start(home)


def test_new_database_has_the_extension(home: Home) -> None:
    with _start(home) as running:
        with running.postgres.connect(DATABASE) as connection:
            connection.execute(f"CREATE DATABASE another OWNER {OWNER}".encode())
        query = "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"
        assert _ask(running.url_for(OWNER, "another"), query) == [(1,)]
