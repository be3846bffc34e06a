"""Creates an owner of documents: a user with an API key, and without a password or rights in the admin."""

import argparse
import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser
from accounts.ownership import acting_for, managing_users


class Command(BaseCommand):
    help = (
        "Creates a user who owns documents and may not log in to the admin, and a first API key. The key is shown "
        "once: on the terminal, or in a file that only you can read if the output is redirected."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail of the new user")
        parser.add_argument("--print-key", action="store_true", help="print the key even if the output is redirected")

    def handle(self, *_args: Any, **options: Any) -> None:
        email = CustomUser.objects.normalize_email(options["email"])
        with transaction.atomic():
            user = _create(email)
            with acting_for(user.pk) as tx:
                minted = mint_key(tx, rights=Rights(scopes=frozenset({"admin"})), name="first")
            # Before the user is committed, so that no user is left without a key.
            printed = options["print_key"] or self.stdout.isatty()
            place = None if printed else _write(f"key-of-user-{user.pk}", minted.text)
        self.stdout.write(f"Created {email}, who may not log in to the admin.")
        if place:
            self.stdout.write(f"The API key is in {place}; move it to where it is needed.")
        else:
            self.stderr.write("This key is shown only once. Store it where only you can read it.")
            self.stdout.write(minted.text)


def _create(email: str) -> CustomUser:
    with managing_users():
        user = CustomUser(email=email)
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.save()
    return user


def _write(name: str, text: str) -> str:
    """Write a new file in the data folder that only this account can read, and return its path."""
    path = settings.ENV.home / name
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise CommandError(
            f"The API key cannot be written to {path}: {error.strerror}. Nothing was created; --print-key prints it."
        ) from error
    return str(path)
