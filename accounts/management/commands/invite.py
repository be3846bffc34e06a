"""Invites a user to the console: creates a link to set a password."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import CustomUser
from accounts.ownership import managing_users
from accounts.sign_in_links import PASSWORD_LIFETIME, create_password_link


class Command(BaseCommand):
    help = (
        "Prints a link with which a user sets a password, once. A user who does not exist is created, without rights "
        "in the admin. It also serves users who have forgotten their password."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail of the user")

    def handle(self, *_args: Any, **options: Any) -> None:
        email = CustomUser.objects.normalize_email(options["email"])
        with transaction.atomic():
            with managing_users():
                user = CustomUser.objects.filter(email=email).first() or _create(email)
            if not user.is_active:
                raise CommandError(f"{email} is not active, so the link would not work.")
            link = create_password_link(user.pk)
        self.stderr.write(f"This link works once, within {PASSWORD_LIFETIME.days} days. Send it to {email} only.")
        self.stdout.write(link)


def _create(email: str) -> CustomUser:
    user = CustomUser(email=email)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    user.save()
    return user
