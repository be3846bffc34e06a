"""The page of a link that signs in once."""

from accounts.ownership import acting_for
from accounts.sign_in_links import create_link
from tests.cast import Someone
from tests.console.browser import HTML, Browser


def link(who: Someone) -> str:
    with acting_for(who.id) as tx:
        return create_link(tx)


def test_link_is_used_up_by_the_form_and_not_by_following_it(alice: Someone) -> None:
    token = link(alice)
    for _preview in range(2):
        page = Browser().page("/sign-in/link/", {"token": token})
        assert page.status_code == 200
        assert "alice@example.com" in page.content.decode()
        assert not page.cookies.get("paliapi_console")
    browser = Browser()
    answer = browser.post("/sign-in/link/", {"token": token}, headers=HTML)
    assert answer["Location"] == "/"
    assert answer.cookies["paliapi_console"]["httponly"]
    assert browser.page("/search/").status_code == 200
    again = Browser().post("/sign-in/link/", {"token": token}, headers=HTML)
    assert again.status_code == 403
    assert "was used before" in again.content.decode()


def test_cookie_from_before_signing_in_is_replaced(alice: Someone, charlie: Someone) -> None:
    browser = Browser(charlie)
    fixed = browser.cookies["paliapi_console"].value
    browser.post("/sign-in/link/", {"token": link(alice)}, headers=HTML)
    assert browser.cookies["paliapi_console"].value != fixed
    assert "alice@example.com" in browser.page("/search/").content.decode()


def test_form_needs_the_token_of_its_page(alice: Someone) -> None:
    token = link(alice)
    browser = Browser(enforce_csrf_checks=True)
    assert browser.post("/sign-in/link/", {"token": token}, headers=HTML).status_code == 403
    browser.page("/sign-in/link/", {"token": token})
    csrf = browser.cookies["paliapi_console_csrf"].value
    answer = browser.post("/sign-in/link/", {"token": token, "csrfmiddlewaretoken": csrf}, headers=HTML)
    assert answer["Location"] == "/"


def test_link_leads_to_no_other_site(alice: Someone) -> None:
    form = {"token": link(alice), "next": "https://evil.example/"}
    assert Browser().post("/sign-in/link/?next=//evil.example", form, headers=HTML)["Location"] == "/"


def test_made_up_link_says_what_to_do(db: None) -> None:
    for token in ("", "1." + "a" * 43, "<script>"):
        page = Browser().page("/sign-in/link/", {"token": token})
        assert page.status_code == 403
        assert "sign_in_link E-MAIL" in page.content.decode()
        assert "<script>" not in page.content.decode()
