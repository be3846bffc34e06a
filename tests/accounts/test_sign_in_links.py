"""Links that sign in once: what ends them, and what they never open."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.access import Caller
from accounts.models import ApiKey, SignInLink
from accounts.ownership import acting_for
from accounts.sign_in_links import MAX_LINKS, LinkNotValid, create_link, email_of_link, redeem_link
from tests.cast import Someone, activate

HOUR = timedelta(hours=1)


def link(who: Someone, lifetime: timedelta = HOUR) -> str:
    with acting_for(who.id) as tx:
        return create_link(tx, lifetime=lifetime)


def redeem(token: str) -> Caller:
    return redeem_link(token, session=HOUR)


def test_link_signs_its_owner_in_once(alice: Someone) -> None:
    token = link(alice)
    assert email_of_link(token) == email_of_link(token) == "alice@example.com"
    caller = redeem(token)
    assert (caller.owner_id, caller.email, caller.may("write")) == (alice.id, "alice@example.com", True)
    for use in (redeem, email_of_link):
        with pytest.raises(LinkNotValid):
            use(token)


def test_session_of_a_link_is_a_key_that_expires(alice: Someone) -> None:
    caller = redeem(link(alice))
    with acting_for(alice.id):
        key = ApiKey.objects.get(pk=caller.key_id)
    assert key.expires_at is not None
    assert key.expires_at <= timezone.now() + HOUR


def test_only_a_digest_is_stored(alice: Someone) -> None:
    secret = link(alice).partition(".")[2]
    with acting_for(alice.id):
        digest = bytes(SignInLink.objects.get(owner_id=alice.id).digest)
    assert len(digest) == 32
    assert secret.encode() not in digest


def test_expired_link_does_not_sign_in(alice: Someone) -> None:
    with pytest.raises(LinkNotValid):
        redeem(link(alice, lifetime=timedelta(0)))


def test_link_of_an_inactive_user_does_not_sign_in(alice: Someone) -> None:
    token = link(alice)
    activate(alice, is_active=False)
    with pytest.raises(LinkNotValid):
        redeem(token)


def test_secret_of_one_owner_opens_no_account_of_another(alice: Someone, charlie: Someone) -> None:
    token = link(alice)
    with pytest.raises(LinkNotValid):
        redeem(f"{charlie.id}.{token.partition('.')[2]}")
    assert redeem(token).owner_id == alice.id


def test_new_links_replace_the_oldest(alice: Someone) -> None:
    tokens = [link(alice) for _ in range(MAX_LINKS + 1)]
    with pytest.raises(LinkNotValid):
        redeem(tokens[0])
    assert redeem(tokens[1]).owner_id == alice.id


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "0." + "a" * 43,
        "1." + "a" * 43,
        "9" * 18 + "." + "a" * 43,
        "9" * 5000 + "." + "a" * 43,
        "\u0661." + "a" * 43,
        "1." + "a" * 42 + "\x00",
        "1." + "a" * 43 + "\n",
        "-1." + "a" * 43,
    ],
)
def test_made_up_token_does_not_sign_in(db: None, token: str) -> None:
    with pytest.raises(LinkNotValid):
        redeem(token)


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_use_a_link_once(alice: Someone) -> None:
    token = link(alice)

    def attempt(_: int) -> bool:
        try:
            redeem(token)
        except LinkNotValid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]
