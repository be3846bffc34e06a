"""Errors as pages, and as problems for scripts."""

from tests.console.browser import Browser


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


def test_scripts_of_a_browser_that_is_signed_out_lead_to_the_form() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "/search/?q=x"}
    answer = Browser().get("/search/", headers=headers)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Fsearch%2F%3Fq%3Dx"
