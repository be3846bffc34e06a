"""Creates the first user of a new installation, for the embedded stack."""

import argparse
import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser
from accounts.ownership import acting_for, managing_users
from accounts.sign_in_links import create_link, url_of_link

_EMAIL = "admin@localhost"
# Two starts at the same time must not both create a user.
_LOCK = 7_021_884_301


class Command(BaseCommand):
    help = (
        "Creates an admin with a password, an API key and a sign-in link if there is no user yet, and prints them once."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print a JSON object; it is empty if a user exists already"
        )
        parser.add_argument(
            "--link", action="store_true", help="also create a sign-in link if the first admin exists already"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        credentials = _create_first_admin() or (_link_of_first_admin() if options["link"] else {})
        if options["json"]:
            self.stdout.write(json.dumps(credentials))
        elif credentials:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in credentials.items()))
        else:
            self.stdout.write("A user exists already; nothing was created.")


def _create_first_admin() -> dict[str, str]:
    """Return the new admin's credentials, or nothing if a user exists already."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        password = secrets.token_urlsafe(15)
        with managing_users():
            if CustomUser.objects.exists():
                return {}
            admin = CustomUser.objects.create_superuser(_EMAIL, password=password)
        with acting_for(admin.pk) as tx:
            minted = mint_key(tx, rights=Rights(scopes=frozenset({"admin"})), name="first")
            link = url_of_link(create_link(tx))
    return {"email": _EMAIL, "password": password, "api_key": minted.text, "sign_in_link": link}


def _link_of_first_admin() -> dict[str, str]:
    """Return a sign-in link of the admin that an earlier start created, if it is still there."""
    with managing_users():
        admin = CustomUser.objects.filter(email=_EMAIL, is_active=True, is_superuser=True).first()
    if admin is None:
        return {}
    with acting_for(admin.pk) as tx:
        return {"sign_in_link": url_of_link(create_link(tx))}
