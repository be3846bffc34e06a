"""Creates the roles, the database and the extension as a server administrator, before the first `migrate`."""

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from paliapi.database_bootstrap import bootstrap
from paliapi.roles import DATABASE_LOGINS


class Command(BaseCommand):
    help = "Creates the roles of the database logins, the database and its extension, if missing."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        env = settings.ENV
        if not env.database_setup_url:
            raise CommandError("Set DATABASE_SETUP_URL to the login of a server administrator.")
        passwords = {
            role: _password(getattr(env, variable.lower()), role=role, variable=variable)
            for variable, role in DATABASE_LOGINS.items()
        }
        administrator = urlsplit(env.database_setup_url)

        def connect(database: str) -> psycopg.Connection:
            return psycopg.connect(env.database_setup_url, dbname=database, autocommit=True, connect_timeout=5)

        try:
            forbidden = bootstrap(
                connect,
                database=unquote(urlsplit(env.database_url).path.lstrip("/")),
                passwords=passwords,
                start=unquote(administrator.path.lstrip("/")) or "postgres",
            )
        except psycopg.Error as exc:
            raise CommandError(f"The database could not be set up: {exc}") from exc
        for statement in forbidden:
            self.stderr.write(
                f"This login lacks the permission for the following; have an administrator run it:\n{statement}\n"
            )
        self.stdout.write("The roles and the database exist; run `migrate` next.")


def _password(url: str, *, role: str, variable: str) -> str:
    """Return the password in a URL, which must log in as this role."""
    parts = urlsplit(url)
    if unquote(parts.username or "") != role or not parts.password:
        raise CommandError(f"{variable} must contain {role} and its password.")
    return unquote(parts.password)
