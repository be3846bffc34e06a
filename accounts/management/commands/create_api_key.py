"""A key from the command line: for the first one, or when every other is lost."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.access import SCOPES
from accounts.key_lifecycle import Rights, mint_key
from accounts.models import NAME_LENGTH, CustomUser
from accounts.ownership import acting_for
from paliapi.errors import Error


class Command(BaseCommand):
    help = "Makes an API key and prints it, this once. Without --scope it may do everything."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="whose key it is")
        parser.add_argument("--name", default="", help="for people to know it by")
        parser.add_argument("--scope", action="append", choices=SCOPES, help="what it may do; may be given again")
        parser.add_argument("--collection", action="append", help="name of a collection it reaches; may be given again")
        parser.add_argument("--expires-days", type=_days, help="after how many days it ends; left out: never")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = CustomUser.objects.filter(email=CustomUser.objects.normalize_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        if not user.is_active:
            raise CommandError(f"{user.email} is not active: the key would not work.")
        if len(options["name"]) > NAME_LENGTH:
            raise CommandError(f"A name may have at most {NAME_LENGTH} characters.")
        days, collections = options["expires_days"], options["collection"]
        rights = Rights(
            scopes=frozenset(options["scope"] or ["admin"]),
            collections=frozenset(collections) if collections else None,
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        try:
            with acting_for(user.pk):
                minted = mint_key(user.pk, rights=rights, name=options["name"])
        except Error as exc:
            raise CommandError(exc.detail) from exc
        self.stderr.write("This key is shown once. Keep it where only you can read it.")
        self.stdout.write(minted.text)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 36500):
        raise argparse.ArgumentTypeError("give a whole number of days from 1 to 36500")
    return int(text)
