"""Signing in with a provider of OpenID Connect, which the test runs."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from pytest_django import Settings

from accounts.browsers.database import signing_in
from accounts.models import CustomUser
from paliapi.derived_settings import openid_providers
from tests.console.browser import HTML, Browser
from tests.console.people import PASSWORD, person
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

CLIENT, SECRET = "paliapi-of-the-tests", "a-secret-of-the-provider"
KEY = "for-tests-only-" * 4


@dataclass
class Provider:
    """What the provider says, and where it is."""

    url: str = ""
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "d-1", "email": "Dana@example.com", "email_verified": True}
    )
    token: dict[str, Any] = field(default_factory=dict)
    userinfo: Any = None

    def answer(self, request: ReceivedRequest) -> Reply:
        if request.path.startswith("/.well-known/"):
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            places = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
            return Reply.json({"issuer": self.url, "jwks_uri": f"{self.url}/keys", **places})
        if request.path == "/token":
            sent = parse_qs(request.body.decode())
            assert sent["code"] == ["a-code"]
            assert sent["code_verifier"]
            claims = {"iss": self.url, "aud": CLIENT, "exp": 4_000_000_000, "sub": self.claims.get("sub"), **self.token}
            return Reply.json(
                {"access_token": "t", "token_type": "bearer", "id_token": jwt.encode(claims, KEY, "HS256")}
            )
        return Reply.json(self.claims if self.userinfo is None else self.userinfo)


@pytest.fixture
def provider(db: None, settings: Settings) -> Iterator[Provider]:
    provider = Provider()
    with scripted(provider.answer) as server:
        provider.url = server.url
        settings.ENV = replace(
            settings.ENV, oidc_issuer=server.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET, oidc_name="<Acme>"
        )
        settings.SOCIALACCOUNT_PROVIDERS = openid_providers(settings.ENV)
        yield provider


@pytest.fixture
def dana() -> CustomUser:
    return person()


def begin(browser: Browser, after: str = "") -> dict[str, list[str]]:
    """Follow the link to the provider; return what it is asked."""
    answer = browser.page("/sign-in/with/openid/", {"next": after} if after else {})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)


def finish(browser: Browser, state: str, **more: str) -> Any:
    return browser.page("/sign-in/with/openid/callback/", {"state": state, "code": "a-code", **more})


def sign_in(browser: Browser, after: str = "") -> Any:
    return finish(browser, begin(browser, after)["state"][0])


def wait_for_confirmation_to_end(browser: Browser) -> None:
    """Let the session be older than a confirmation may be."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 301
    session.save()


def test_user_with_the_verified_address_signs_in(provider: Provider, dana: CustomUser) -> None:
    browser = Browser()
    assert "Sign in with &lt;Acme&gt;" in browser.page("/sign-in/").content.decode()
    asked = begin(browser, "/search/")
    assert asked["redirect_uri"] == ["http://testserver/sign-in/with/openid/callback/"]
    assert asked["code_challenge_method"] == ["S256"]
    assert finish(browser, asked["state"][0])["Location"] == "/search/"
    assert "dana@example.com" in browser.page("/account/").content.decode()
    # From then on, the provider's subject decides.
    provider.claims["email"] = "other@example.com"
    again = Browser()
    assert sign_in(again)["Location"] == "/"
    assert "dana@example.com" in again.page("/account/").content.decode()


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "e", "email": "erin@example.com", "email_verified": True},
        {"sub": "e", "email": "dana@example.com", "email_verified": False},
        {"sub": "e", "email": "dana@example.com"},
        {"sub": "e"},
    ],
)
def test_no_account_is_created_nor_opened_without_a_verified_address(
    provider: Provider, dana: CustomUser, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    browser = Browser()
    refused = sign_in(browser)
    assert refused.status_code == 403
    assert "openid_unknown" in refused.content.decode()
    assert browser.page("/search/").status_code == 302
    assert not CustomUser.objects.filter(email="erin@example.com").only("id").exists()


@pytest.mark.parametrize(
    "token", [{"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}, {"sub": "another subject"}]
)
def test_token_for_somebody_else_is_refused(provider: Provider, dana: CustomUser, token: dict[str, Any]) -> None:
    provider.token = token
    refused = sign_in(Browser())
    assert refused.status_code == 403
    assert "openid_failed" in refused.content.decode()


@pytest.mark.parametrize("userinfo", [[], "text", 1, {"email": {}}, {"sub": ["d-1"], "email": ["x"]}])
def test_odd_answers_of_the_provider_are_refused(provider: Provider, dana: CustomUser, userinfo: Any) -> None:
    provider.userinfo = userinfo
    assert sign_in(Browser()).status_code == 403


def test_answer_without_question_is_refused(provider: Provider, dana: CustomUser) -> None:
    browser, other = Browser(), Browser()
    state = begin(browser)["state"][0]
    assert finish(other, state).status_code == 403
    assert finish(browser, "made-up").status_code == 403
    assert finish(browser, state, error="access_denied").status_code == 403
    assert finish(browser, state).status_code == 403
    assert browser.page("/search/").status_code == 302


def test_second_factor_is_asked_as_after_a_password(provider: Provider, dana: CustomUser) -> None:
    with signing_in():
        TOTP.activate(dana, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    browser = Browser()
    assert sign_in(browser)["Location"] == "/sign-in/second-factor/"
    assert browser.page("/search/").status_code == 302


def test_user_without_a_password_confirms_with_the_provider(provider: Provider) -> None:
    person(password=None)
    browser = Browser()
    sign_in(browser)
    assert "Set a password" in browser.page("/security/").content.decode()
    assert browser.page("/security/password/")["Location"] == "/security/password/set/"
    assert "<svg" in browser.page("/security/app/").content.decode(), "the provider has confirmed it just now"
    wait_for_confirmation_to_end(browser)
    needed = ""
    for path in ("/security/app/", "/security/keys/add/", "/security/password/set/"):
        needed = browser.page(path)["Location"]
        assert needed == f"/security/confirm/provider/?{urlencode({'next': path})}"
    page = browser.page(needed).content.decode()
    link = re.findall(r'href="(/sign-in/with/openid/[^"]+)"', page)[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(browser.page(link)["Location"]).query)
    assert asked["prompt"] == ["login"]
    assert finish(browser, asked["state"][0])["Location"] == "/security/password/set/"
    form = {"password1": PASSWORD + "!", "password2": PASSWORD + "!"}
    assert browser.post("/security/password/set/", form, headers=HTML)["Location"] == "/security/"
    assert "Change the password" in browser.page("/security/").content.decode()
    assert Browser().sign_in("dana@example.com", PASSWORD + "!").status_code == 302
    assert browser.page("/security/app/")["Location"].startswith("/security/confirm/?"), "now there is a password"


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example"])
def test_sign_in_leads_to_no_other_site(provider: Provider, dana: CustomUser, after: str) -> None:
    assert sign_in(Browser(), after)["Location"] == "/"


def test_provider_that_does_not_answer_is_reported(provider: Provider, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, oidc_issuer="http://127.0.0.1:1")
    settings.SOCIALACCOUNT_PROVIDERS = openid_providers(settings.ENV)
    answer = Browser().page("/sign-in/with/openid/")
    assert answer.status_code == 503
    assert json.dumps(SECRET) not in answer.content.decode()


def test_there_is_no_provider_by_default(db: None) -> None:
    assert "/sign-in/with/" not in Browser().page("/sign-in/").content.decode()
    for path in ("/sign-in/with/openid/", "/sign-in/with/other/callback/"):
        assert Browser().page(path).status_code == 404
