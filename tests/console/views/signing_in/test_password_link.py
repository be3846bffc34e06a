"""The page of a link that sets a password."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import CustomUser, SignInLink
from accounts.ownership import acting_for
from accounts.sign_in_links import create_link
from tests.cast import Someone, activate
from tests.console.browser import HTML, Browser
from tests.console.people import PASSWORD, browser_of, forget_attempts, person
from tests.environment import Services


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    forget_attempts(services)


def invite(email: str) -> str:
    """Return the token of a link."""
    printed = io.StringIO()
    call_command("invite", email, stdout=printed, stderr=io.StringIO())
    url, _, token = printed.getvalue().strip().partition("?token=")
    assert url == "http://localhost:8001/sign-in/password/"
    return token


def use(token: str, password: str = PASSWORD, again: str | None = None) -> tuple[int, str]:
    form = {"token": token, "password1": password, "password2": password if again is None else again}
    answer = Browser().post("/sign-in/password/", form, headers=HTML)
    return answer.status_code, answer.content.decode()


def test_invited_user_sets_a_password_and_signs_in(db: None) -> None:
    token = invite(" Frank@Example.com")
    for _preview in range(2):
        assert "frank@example.com" in Browser().page("/sign-in/password/", {"token": token}).content.decode()
    status, page = use(token, "short")
    assert status == 200
    assert "too short" in page
    assert "two different" in use(token, PASSWORD, "another one")[1]
    assert use(token)[0] == 302
    assert use(token)[0] == 403
    assert Browser().sign_in("frank@example.com", PASSWORD)["Location"] == "/"


@pytest.mark.parametrize("password", ["frank@example.com", "1234567890", "x" * 2000, "a password\x00", "password12"])
def test_bad_password_is_refused_and_leaves_the_link(db: None, password: str) -> None:
    token = invite("frank@example.com")
    status, page = use(token, password)
    assert (status, 'role="alert"' in page) == (200, True)
    assert use(token)[0] == 302


def test_forgotten_password_is_replaced_and_ends_sessions(db: None) -> None:
    dana = person()
    browser = browser_of(dana)
    assert use(invite(dana.email), "another password of the tests")[0] == 302
    assert browser.page("/search/").status_code == 302
    assert Browser().sign_in(dana.email, PASSWORD).status_code == 200


def test_links_of_one_kind_are_none_of_the_other(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        signs_in = create_link(tx)
    assert use(signs_in)[0] == 403
    token = invite("alice@example.com")
    assert Browser().post("/sign-in/link/", {"token": token}, headers=HTML).status_code == 403


def test_link_ends_with_its_time_and_with_its_user(alice: Someone) -> None:
    token = invite("alice@example.com")
    activate(alice, is_active=False)
    assert use(token)[0] == 403
    with pytest.raises(CommandError, match="not active"):
        invite("alice@example.com")
    activate(alice, is_active=True)
    with acting_for(alice.id) as tx:
        SignInLink.objects.filter(owner_id=tx.owner_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert use(token)[0] == 403
    for made_up in ("", "1." + "a" * 43, "<script>", "\x00"):
        assert use(made_up)[0] == 403


def test_no_user_is_created_with_an_invalid_address(db: None) -> None:
    with pytest.raises(CommandError, match="valid email"):
        invite("no address")
    assert not CustomUser.objects.filter(email="no address").only("id").exists()
