"""Makes the roles, the database and the extension, as an administrator of the server: before the first `migrate`."""

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from paliapi.database_bootstrap import furnish
from paliapi.roles import APP, OWNER


class Command(BaseCommand):
    help = "Make the roles of DATABASE_URL and DATABASE_ADMIN_URL, their database and its extension, as far as missing."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        env = settings.ENV
        if not (env.database_setup_url and env.database_admin_url):
            raise CommandError("Set DATABASE_SETUP_URL, an administrator of the server, and DATABASE_ADMIN_URL.")
        passwords = dict([_login(env.database_admin_url, role=OWNER), _login(env.database_url, role=APP)])
        administrator = urlsplit(env.database_setup_url)

        def connect(database: str) -> psycopg.Connection:
            return psycopg.connect(env.database_setup_url, dbname=database, autocommit=True, connect_timeout=5)

        try:
            left = furnish(
                connect,
                database=unquote(urlsplit(env.database_url).path.lstrip("/")),
                passwords=passwords,
                start=unquote(administrator.path.lstrip("/")) or "postgres",
            )
        except psycopg.Error as exc:
            raise CommandError(f"The database could not be made ready: {exc}") from exc
        for statement in left:
            self.stderr.write(f"This login may not do the following; let an administrator do it:\n{statement}\n")
        self.stdout.write("The roles and the database are there; `migrate` comes next.")


def _login(url: str, *, role: str) -> tuple[str, str]:
    """The password in a URL, which must log in as this role."""
    parts = urlsplit(url)
    if unquote(parts.username or "") != role or not parts.password:
        raise CommandError(f"One of DATABASE_URL and DATABASE_ADMIN_URL must name {role} and its password.")
    return role, unquote(parts.password)
