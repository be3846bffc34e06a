"""The forms of django-allauth, within our limits on guessing."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm

from accounts import sign_in

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
