"""Migrates as the role that owns the tables, then grants access to the roles of the web server and the admin."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from paliapi.database import as_table_owner
from paliapi.roles import APP, STAFF, create_roles_sql

_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {APP}, {STAFF};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP}, {STAFF};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP}, {STAFF};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {APP}, {STAFF};
"""  # noqa: S608  (two constants)


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
                self._grant_access()

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
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname IN (%s, %s)", [APP, STAFF])
            row = cursor.fetchone()
            if row == (2,):
                return
            try:
                cursor.execute(create_roles_sql())
            except ProgrammingError as exc:
                raise CommandError(
                    f"The roles {APP} and {STAFF} are missing, and this login may not create them. "
                    f"Have an administrator run:\n\n{create_roles_sql()}"
                ) from exc

    def _grant_access(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_GRANTS)
