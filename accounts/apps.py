from django.apps import AppConfig

from accounts.grants import GRANTS


class AccountsConfig(AppConfig):
    name = "accounts"
    grants = GRANTS
