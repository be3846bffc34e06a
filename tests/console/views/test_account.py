"""The page of the account."""

from accounts.ownership import acting_for
from accounts.quotas import charge
from tests.cast import Someone, with_key
from tests.console.browser import Browser


def test_usage_is_shown_with_its_quota(alice: Someone, browser: Browser) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=12_345, bytes=1)
    page = browser.page("/account/").content.decode()
    assert "alice@example.com" in page
    assert 'aria-label="Documents: 12345 of 100000"' in page
    assert 'aria-label="Megabytes: 1 of 100000"' in page


def test_key_for_some_collections_does_not_see_usage(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=12_345)
    restricted = with_key(alice.user, scopes=frozenset({"read"}), collections=frozenset({"a"}))
    page = Browser(restricted).page("/account/").content.decode()
    assert "some collections only" in page
    assert "12345" not in page


def test_page_is_for_the_signed_in(db: None) -> None:
    assert Browser().page("/account/")["Location"] == "/sign-in/?next=%2Faccount%2F"
