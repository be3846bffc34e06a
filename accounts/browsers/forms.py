"""The forms of django-allauth, within our limits on guessing."""

import json
from collections.abc import Callable
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.forms import HiddenInput, JSONField

from accounts import sign_in

MAX_KEYS = 10
MAX_NAME_LENGTH = 100
MAX_PASSWORD_LENGTH = 1000  # hashing reads all of it


class SignInForm(LoginForm):
    """An e-mail and a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].max_length = MAX_PASSWORD_LENGTH

    def clean(self) -> Any:
        if self.errors:
            return self.cleaned_data
        with sign_in.password_attempt(self.request, self.cleaned_data["login"]):
            return super().clean()


class PasswordForm(ChangePasswordForm):
    """The present password, and a new one twice."""

    def clean_oldpassword(self) -> Any:
        with sign_in.own_password_attempt(context.request):
            return super().clean_oldpassword()


class CodeForm(AuthenticateForm):
    """A code of an authenticator app, or a recovery code, to finish signing in."""

    def clean_code(self) -> Any:
        sign_in.charge_code(self.user.pk)
        return super().clean_code()


class OwnCodeForm(ReauthenticateForm):
    """The same, of a user who has signed in."""

    def clean_code(self) -> Any:
        sign_in.charge_code(self.user.pk)
        return super().clean_code()


class _CredentialField(JSONField):
    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError as exc:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from exc


class _Refusing:
    """Refuses what is no response of a security key, whatever is wrong with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _CredentialField(widget=HiddenInput)  # type: ignore[attr-defined]

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        if not isinstance(credential, dict) or "\\u0000" in json.dumps(credential):
            raise get_adapter().validation_error("incorrect_code")
        above: Any = super()
        return self._checked(above.clean_credential) if hasattr(above, "clean_credential") else credential

    def clean(self) -> Any:
        above: Any = super()
        return self._checked(above.clean)

    def _checked(self, check: Callable[[], Any]) -> Any:
        try:
            return check()
        except (ArithmeticError, AttributeError, InvalidSignature, LookupError, TypeError, ValueError) as exc:
            raise get_adapter().validation_error("incorrect_code") from exc


class KeyForm(_Refusing, AuthenticateWebAuthnForm):
    """The response of a security key, to finish signing in."""


class OwnKeyForm(_Refusing, ReauthenticateWebAuthnForm):
    """The same, of a user who has signed in."""


class NewKeyForm(_Refusing, AddWebAuthnForm):
    """A new security key, and its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].validators.append(MaxLengthValidator(MAX_NAME_LENGTH))

    def clean(self) -> Any:
        keys = Authenticator.objects.filter(user_id=self.user.pk, type=Authenticator.Type.WEBAUTHN)
        if keys.count() >= MAX_KEYS:
            raise ValidationError(f"There are {MAX_KEYS} security keys already; remove one first.")
        return super().clean()
