"""django-allauth's apps, without the demand for middleware on every request: `pages.sign_in_page` is in its place."""

from allauth.account.apps import AccountConfig
from django.contrib.auth.signals import user_logged_in


class AllauthAccounts(AccountConfig):
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        from accounts.browsers import sessions  # noqa: PLC0415 - it needs the models

        user_logged_in.connect(sessions.begin, dispatch_uid="accounts.browsers")
