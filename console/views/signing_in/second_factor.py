"""The pages of the second factor: django-allauth's views, with templates of the console."""

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateWithCode
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView

from accounts.browsers.pages import sign_in_page

_FOLDER = "console/second_factor"

authenticate = sign_in_page(AuthenticateView.as_view(template_name=f"{_FOLDER}/authenticate.html"))
confirm_password = sign_in_page(ReauthenticateView.as_view(template_name=f"{_FOLDER}/confirm_password.html"))
confirm_code = sign_in_page(ReauthenticateWithCode.as_view(template_name=f"{_FOLDER}/confirm_code.html"))
confirm_key = sign_in_page(ReauthenticateWebAuthnView.as_view(template_name=f"{_FOLDER}/confirm_key.html"))
add_app = sign_in_page(ActivateTOTPView.as_view(template_name=f"{_FOLDER}/add_app.html"))
remove_app = sign_in_page(DeactivateTOTPView.as_view(template_name=f"{_FOLDER}/remove_app.html"))
codes = sign_in_page(ViewRecoveryCodesView.as_view(template_name=f"{_FOLDER}/codes.html"))
new_codes = sign_in_page(GenerateRecoveryCodesView.as_view(template_name=f"{_FOLDER}/new_codes.html"))
add_key = sign_in_page(AddWebAuthnView.as_view(template_name=f"{_FOLDER}/add_key.html"))
remove_key = sign_in_page(RemoveWebAuthnView.as_view(template_name=f"{_FOLDER}/remove_key.html"))
