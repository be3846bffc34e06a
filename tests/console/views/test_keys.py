"""The page of keys."""

import re

import pytest

from accounts.models import ApiKey
from accounts.ownership import acting_for
from tests.cast import Someone, with_key
from tests.console.browser import HTML, Browser


def created(browser: Browser, **form: object) -> str:
    answer = browser.post("/keys/", {"scopes": ["search"], **form}, headers=HTML)
    assert answer.status_code == 201
    found = re.search(r'id="key-text">(pali_\w+)<', answer.content.decode())
    assert found
    return found[1]


def test_new_key_is_shown_once_and_works(alice: Someone, browser: Browser) -> None:
    text = created(browser, name="<b>web</b>", scopes=["search", "read"], collections="a\r\n b \n", days="30")
    me = Someone(alice.user, text).get("/v1/me/").json()
    assert (me["key_name"], me["scopes"], me["collections"]) == ("<b>web</b>", ["read", "search"], ["a", "b"])
    assert me["expires_at"]
    page = browser.page("/keys/").content.decode()
    assert text not in page
    assert "&lt;b&gt;web&lt;/b&gt;" in page
    assert "<b>web" not in page


def test_revoked_key_ends_at_once(alice: Someone, browser: Browser) -> None:
    text = created(browser)
    key_id = Someone(alice.user, text).get("/v1/me/").json()["key_id"]
    assert browser.post(f"/keys/{key_id}/revoke/", headers=HTML)["Location"] == "/keys/"
    assert Someone(alice.user, text).get("/v1/me/").status_code == 401


def test_rotated_key_has_a_successor_with_the_same_rights(alice: Someone, browser: Browser) -> None:
    text = created(browser, name="web")
    key_id = Someone(alice.user, text).get("/v1/me/").json()["key_id"]
    answer = browser.post(f"/keys/{key_id}/rotate/", headers=HTML)
    assert answer.status_code == 201
    found = re.search(r'id="key-text">(pali_\w+)<', answer.content.decode())
    assert found
    assert Someone(alice.user, found[1]).get("/v1/me/").json()["key_name"] == "web"
    assert Someone(alice.user, text).get("/v1/me/").status_code == 200


def test_keys_of_others_do_not_exist(browser: Browser, charlie: Someone) -> None:
    with acting_for(charlie.id):
        key_id = ApiKey.objects.get(owner_id=charlie.id).pk
    for action in ("revoke", "rotate"):
        assert browser.post(f"/keys/{key_id}/{action}/", headers=HTML).status_code == 404
    assert charlie.get("/v1/me/").status_code == 200


def test_key_without_the_scope_manages_no_keys(bob: Someone) -> None:
    browser = Browser(bob)
    assert browser.page("/keys/").status_code == 403
    assert browser.post("/keys/", {"scopes": ["read"]}, headers=HTML).status_code == 403


def test_restricted_key_creates_and_sees_only_keys_that_reach_no_further(alice: Someone) -> None:
    browser = Browser(with_key(alice.user, scopes=frozenset({"admin"}), collections=frozenset({"a"})))
    assert browser.post("/keys/", {"scopes": ["read"], "collections": "b"}, headers=HTML).status_code == 403
    me = Someone(alice.user, created(browser)).get("/v1/me/").json()
    assert me["collections"] == ["a"]
    with acting_for(alice.id):
        first = ApiKey.objects.filter(owner_id=alice.id).earliest("pk").pk
    assert browser.post(f"/keys/{first}/revoke/", headers=HTML).status_code == 404


@pytest.mark.parametrize("form", [{}, {"scopes": "root"}, {"scopes": "read", "name": "x" * 101}])
def test_invalid_form_creates_nothing(alice: Someone, browser: Browser, form: dict[str, str]) -> None:
    assert browser.post("/keys/", form, headers=HTML).status_code == 422
    with acting_for(alice.id):
        assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("before", ["0", "x", "9" * 30, "-1", "\u0661"])
def test_any_place_in_the_list_can_be_requested(browser: Browser, before: str) -> None:
    assert browser.page("/keys/", {"before": before}).status_code == 200
