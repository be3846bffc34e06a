"""`manage.py migrate` in a part of the installation, which may not change tables."""

from dataclasses import replace
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from paliapi.database import as_table_owner
from paliapi.roles import APP, STAFF
from tests.environment import Services


@pytest.mark.django_db
def test_migrate_in_a_part_succeeds_if_nothing_is_pending(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, part="web", database_admin_url="")
    output = StringIO()
    call_command("migrate", stdout=output)
    assert "No migrations to apply." in output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_migrate_in_a_part_names_the_command_for_pending_migrations(settings: Settings) -> None:
    (latest,) = MigrationLoader(connection).graph.leaf_nodes("accounts")
    with as_table_owner(settings.ENV.database_admin_url):
        MigrationRecorder(connection).record_unapplied(*latest)
    try:
        settings.ENV = replace(settings.ENV, part="web")
        with pytest.raises(CommandError, match="docker-compose run --rm roles"):
            call_command("migrate")
    finally:
        with as_table_owner(settings.ENV.database_admin_url):
            MigrationRecorder(connection).record_applied(*latest)


@pytest.mark.django_db(transaction=True)
def test_roles_that_the_owner_may_not_correct_stop_the_migration(services: Services) -> None:
    with psycopg.connect(services.superuser_url, autocommit=True) as superuser:
        superuser.execute(f"GRANT {STAFF} TO {APP} WITH INHERIT FALSE, SET TRUE".encode())
        try:
            with pytest.raises(CommandError, match="Run `setup_database`") as error:
                call_command("migrate", verbosity=0)
            assert "REVOKE" in str(error.value)
        finally:
            superuser.execute(f"REVOKE {STAFF} FROM {APP}".encode())
    call_command("migrate", verbosity=0)
