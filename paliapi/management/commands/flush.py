"""Empties the tables as the role that owns them, because the web server's role may not."""

from typing import Any

from django.conf import settings
from django.core.management.commands import flush
from django.db import DEFAULT_DB_ALIAS

from paliapi.database import as_table_owner


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        with as_table_owner(settings.ENV.database_admin_url or settings.ENV.database_url):
            # The other connection, for signing in, is to the same tables.
            super().handle(**{**options, "database": DEFAULT_DB_ALIAS})
