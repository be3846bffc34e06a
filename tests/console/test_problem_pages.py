"""Errors as pages, and as problems for scripts."""

import pytest

from console import problem_pages
from paliapi.env import ROOT
from tests.console.browser import HTML, Browser


def test_unknown_url_is_a_page_for_people_and_a_problem_for_programs(browser: Browser) -> None:
    page = browser.page("/nowhere")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert "It may have been deleted or renamed" in page.content.decode()
    assert page["Content-Length"] == str(len(page.content))
    assert "advice" not in browser.get("/nowhere").json()
    answer = browser.get("/nowhere", headers={"X-CSRFToken": "x"})
    assert answer["Content-Length"] == str(len(answer.content))
    problem = answer.json()
    assert problem["code"] == "not_found"
    assert problem["advice"] in page.content.decode()


@pytest.mark.parametrize(
    ("page", "after"),
    [
        ("http://testserver/search/?q=x#top", "?next=%2Fsearch%2F%3Fq%3Dx"),
        ("/search/?q=x", "?next=%2Fsearch%2F%3Fq%3Dx"),
        ("https://evil.example/search/", ""),
        ("http://testserver//evil.example/", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_browser_that_is_signed_out_is_led_to_the_form_and_back(page: str, after: str) -> None:
    answer = Browser().get("/search/", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == f"/sign-in/{after}"
    sent = Browser().post("/keys/", {"name": "x"}, headers={**HTML, "Referer": page})
    assert sent["Location"] == f"/sign-in/{after}"


def test_advice_is_for_problems_that_exist() -> None:
    listed = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in problem_pages._ADVICE if f"| `{code}` |" not in listed] == []
