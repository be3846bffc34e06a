"""Creates a link that signs a browser in to the console."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import CustomUser
from accounts.ownership import acting_for, managing_users
from accounts.sign_in_links import LIFETIME, create_link, url_of_link


class Command(BaseCommand):
    help = "Creates a link that signs a browser in to the console, once, and prints it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail of the user to sign in")

    def handle(self, *_args: Any, **options: Any) -> None:
        with managing_users():
            user = CustomUser.objects.filter(email=CustomUser.objects.normalize_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        if not user.is_active:
            raise CommandError(f"{user.email} is not active, so the link would not work.")
        with acting_for(user.pk) as tx:
            token = create_link(tx)
        minutes = LIFETIME.seconds // 60
        self.stderr.write(f"This link works once, within {minutes} minutes. It gives full access to the account.")
        self.stdout.write(url_of_link(token))
