"""Migrates as the role that owns the tables, then gives the other roles exactly the rights that the apps declare."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from paliapi.database import as_table_owner
from paliapi.roles import APP, GRANTEES, MAY_ASSUME, STAFF, create_roles_sql, memberships_sql

# What the roles that may see owners' rows may do with each table of such rows; which rows, policies decide.
_OWNED = dict.fromkeys((APP, STAFF), "SELECT, INSERT, UPDATE, DELETE")


class Command(migrate.Command):
    help = migrate.Command.help

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENV.part:
            self._check_nothing_is_pending()
            return
        with as_table_owner(settings.ENV.database_admin_url or settings.ENV.database_url):
            self._create_roles()
            super().handle(*args, **options)
            if not options["plan"] and not options["check_unapplied"]:
                _grant_access()

    def _check_nothing_is_pending(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError(
                f"There are migrations to apply, and this is the part `{settings.ENV.part}`, which may not "
                "change tables. Run migrate without PALIAPI_PART and with DATABASE_ADMIN_URL; in containers: "
                "docker-compose run --rm roles python manage.py migrate"
            )
        self.stdout.write("No migrations to apply.")

    def _create_roles(self) -> None:
        if _roles_are_complete():
            return
        try:
            with connection.cursor() as cursor:
                cursor.execute(create_roles_sql())
        except ProgrammingError as exc:
            raise CommandError(
                "Database roles are missing or may assume others that they should not, and this login may not change "
                "that. Run `setup_database`, or have an administrator run the following and set passwords for the "
                f"roles that log in:\n\n{create_roles_sql()}"
            ) from exc


def _roles_are_complete() -> bool:
    """Check that every role exists and may assume those that it should, and no others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(GRANTEES)])
        if cursor.fetchone() != (len(GRANTEES),):
            return False
        cursor.execute(memberships_sql())
        return set(cursor.fetchall()) == {(login, role) for login, roles in MAY_ASSUME.items() for role in roles}


def _grant_access() -> None:
    """Replace all rights in one transaction, so that running processes always have theirs."""
    roles = sql.SQL(", ").join(map(sql.Identifier, GRANTEES))
    with transaction.atomic(), connection.cursor() as cursor:
        for kind in ("TABLES", "SEQUENCES"):
            cursor.execute(sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA public FROM {}").format(sql.SQL(kind), roles))
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(roles))
        for table, rights in _declared():
            for role, privileges in rights.items():
                grant = sql.SQL("GRANT {} ON {} TO {}")
                cursor.execute(grant.format(sql.SQL(privileges), sql.Identifier(table), sql.Identifier(role)))


def _declared() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each table with the rights of each role: those of all owned tables, and what the apps declare."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy and any(field.column == "owner_id" for field in model._meta.local_fields):
            yield model._meta.db_table, _OWNED
    for app in apps.get_app_configs():
        yield from getattr(app, "grants", {}).items()
