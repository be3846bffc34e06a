"""Creates an API key from the command line: the first one, or when all others are lost."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.access import SCOPES
from accounts.key_lifecycle import Rights, mint_key
from accounts.models import NAME_LENGTH, CustomUser
from accounts.ownership import acting_for, managing_users
from paliapi.errors import Error


class Command(BaseCommand):
    help = "Creates an API key and prints it once. Without --scope, the key permits everything."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail of the user that the key is for")
        parser.add_argument("--name", default="", help="a name for the key")
        parser.add_argument("--scope", action="append", choices=SCOPES, help="what the key permits; repeatable")
        parser.add_argument(
            "--collection", action="append", help="name of a collection to restrict the key to; repeatable"
        )
        parser.add_argument("--expires-days", type=_days, help="days until the key expires; default: never")

    def handle(self, *_args: Any, **options: Any) -> None:
        with managing_users():
            user = CustomUser.objects.filter(email=CustomUser.objects.normalize_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        if not user.is_active:
            raise CommandError(f"{user.email} is not active, so the key would not work.")
        if len(options["name"]) > NAME_LENGTH:
            raise CommandError(f"A name may have at most {NAME_LENGTH} characters.")
        days, collections = options["expires_days"], options["collection"]
        rights = Rights(
            scopes=frozenset(options["scope"] or ["admin"]),
            collections=frozenset(collections) if collections else None,
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        try:
            with acting_for(user.pk) as tx:
                minted = mint_key(tx, rights=rights, name=options["name"])
        except Error as exc:
            raise CommandError(exc.detail) from exc
        self.stderr.write("This key is shown only once. Store it where only you can read it.")
        self.stdout.write(minted.text)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 36500):
        raise argparse.ArgumentTypeError("must be a whole number of days from 1 to 36500")
    return int(text)
