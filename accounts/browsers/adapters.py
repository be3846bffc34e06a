"""Where django-allauth's ways of accounts and second factors differ from ours."""

import base64
import hashlib
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import sign_in
from accounts.models import CustomUser
from paliapi.http.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are created by staff; passwords are checked within the limits on guessing."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def set_password(self, user: CustomUser, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Say nothing about what the next page shows anyway, such as who has signed in."""
        if "logged_in" not in str(args[:1]):
            super().add_message(request, level, *args, **kwargs)

    def reauthenticate(self, user: CustomUser, password: str) -> bool:
        with sign_in.own_password_attempt(self.request):
            return user.check_password(password)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Lead users who have neither password nor second factor to the provider that they signed in with."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if methods or not (user.is_authenticated and settings.ENV.oidc_issuer):
            return methods
        return [{"id": "openid", "description": settings.ENV.oidc_name, "url": reverse("openid_reauthenticate")}]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """For these users, a sign-in with the provider is enough that is as recent as other confirmations must be."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        user = self.request.user
        if super().get_reauthentication_methods(user):
            return True
        recent = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
        records = get_authentication_records(self.request, user)
        return not any(one["method"] == "socialaccount" and one["at"] > recent for one in records)

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """Send nothing: an installation may have no e-mail."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted with a key that only processes with SECRET_KEY have."""

    def get_totp_issuer(self) -> str:
        return "PaliAPI"

    def build_totp_svg(self, url: str) -> str:
        """Return the picture of the secret, to be part of a page."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY has changed: no code matches, as after a loss of the device.
            return ""


def _fernet() -> Fernet:
    key = hashlib.sha256(b"accounts.second_factor:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
