"""Removes the second factors of a user who has lost them."""

import argparse
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from accounts.models import CustomUser
from accounts.ownership import managing_users


class Command(BaseCommand):
    help = "Removes all second factors and recovery codes of a user, who then signs in with the password alone."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail of the user")

    def handle(self, *_args: Any, **options: Any) -> None:
        with managing_users():
            user = CustomUser.objects.filter(email=CustomUser.objects.normalize_email(options["email"])).first()
            if user is None:
                raise CommandError(f"There is no user {options['email']}.")
            count, _ = Authenticator.objects.filter(user_id=user.pk).delete()
        self.stdout.write(f"Removed what {user.email} had: {count}, recovery codes included.")
