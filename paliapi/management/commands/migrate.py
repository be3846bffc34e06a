"""Migrates as the role that owns the tables, then grants access to the roles of the web server and the admin."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import ProgrammingError, connection

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
        with as_table_owner(settings.ENV.database_admin_url or settings.ENV.database_url):
            self._create_roles()
            super().handle(*args, **options)
            if not options["plan"] and not options["check_unapplied"]:
                self._grant_access()

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
