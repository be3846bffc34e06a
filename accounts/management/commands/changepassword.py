"""Django's command, as a role that may read and write users."""

from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts.ownership import managing_users


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with managing_users():
            super().handle(*args, **options)
