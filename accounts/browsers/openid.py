"""Signing in with an OpenID Connect provider, which the operator chooses: for users who exist already."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest

from accounts.models import CustomUser
from paliapi.errors import Error, Forbidden
from paliapi.http.problems import error_response


class OpenIdFailed(Forbidden):
    code = "openid_failed"
    title = "The provider did not confirm who you are."


class OpenIdUnknown(Forbidden):
    code = "openid_unknown"
    title = "There is no account for the e-mail address that the provider has confirmed, and it creates none."


class OpenIdAdapter(DefaultSocialAccountAdapter):
    """Connects the provider's account with the user of the same e-mail address, if the provider has verified it."""

    def on_authentication_error(self, _request: HttpRequest, *_args: Any, **_kwargs: Any) -> None:
        raise _refusal(OpenIdFailed())

    def pre_social_login(self, _request: HttpRequest, login: SocialLogin) -> None:
        claims = login.account.extra_data
        subjects = {str(claims[name].get("sub")) for name in ("userinfo", "id_token") if name in claims}
        if len(subjects) != 1:
            raise _refusal(OpenIdFailed())
        if not login.is_existing:
            user = _user_of(login)
            if user is None:
                raise _refusal(OpenIdUnknown())
            # `login.connect` would also write columns of the user that this login may not change.
            login.user = login.account.user = user
            login.account.save()


def _user_of(login: SocialLogin) -> CustomUser | None:
    emails = [CustomUser.objects.normalize_email(one.email) for one in login.email_addresses if one.verified]
    return CustomUser.objects.filter(email__in=emails, is_active=True).first()


def _refusal(error: Error) -> ImmediateHttpResponse:
    # A response rather than an error, so that what was used stays used.
    return ImmediateHttpResponse(error_response(error))
