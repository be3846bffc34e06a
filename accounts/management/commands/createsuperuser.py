"""Django's command, which also creates an API key for the new user."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db.models.signals import post_save

from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser
from accounts.ownership import acting_for, managing_users


class Command(createsuperuser.Command):
    help = "Creates a user who may log in to the admin, and an API key that is printed once."

    def handle(self, *args: Any, **options: Any) -> None:
        user_ids: list[int] = []

        # Django's command does not return the user, and the e-mail may have been typed at its prompt.
        def remember(*, instance: CustomUser, created: bool, **_rest: Any) -> None:
            if created:
                user_ids.append(instance.pk)

        post_save.connect(remember, sender=CustomUser)
        try:
            with managing_users():
                super().handle(*args, **options)
        finally:
            post_save.disconnect(remember, sender=CustomUser)
        for user_id in user_ids:
            with acting_for(user_id) as tx:
                minted = mint_key(tx, rights=Rights(scopes=frozenset({"admin"})), name="first")
            self.stderr.write("This user's API key follows. It is shown only once.")
            self.stdout.write(minted.text)
