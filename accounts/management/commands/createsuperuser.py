"""Django's command, and an API key for the new user."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db.models.signals import post_save

from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser
from accounts.ownership import acting_for


class Command(createsuperuser.Command):
    help = "Makes a user who may log in to the admin, and an API key that is printed once."

    def handle(self, *args: Any, **options: Any) -> None:
        made: list[int] = []

        # Django's command does not say whom it made: the e-mail may have been typed at its prompt.
        def remember(*, instance: CustomUser, created: bool, **_rest: Any) -> None:
            if created:
                made.append(instance.pk)

        post_save.connect(remember, sender=CustomUser)
        try:
            super().handle(*args, **options)
        finally:
            post_save.disconnect(remember, sender=CustomUser)
        for user_id in made:
            with acting_for(user_id):
                minted = mint_key(user_id, rights=Rights(scopes=frozenset({"admin"})), name="first")
            self.stderr.write("An API key for this user follows. It is shown once.")
            self.stdout.write(minted.text)
