"""Evaluations in the console: create, run, read, compare and delete."""

import pytest

from tests.cast import Someone
from tests.collections_app.evaluations.running import create_run, run_all
from tests.console.browser import HTML, Browser
from tests.statements import statements

FORM = {
    "name": "<b>lights</b>",
    "collection": "sea & shore",
    "queries": '{"_id": "1", "text": "tallest <i>lighthouse</i>"}',
    "qrels": "query-id\tcorpus-id\tscore\n1\tsea/light <b>.pdf#2\t1\n",
}


def test_evaluation_is_created_run_compared_and_deleted(alice: Someone, browser: Browser, library: list[int]) -> None:
    assert "Create one below" in browser.page("/evaluations/").content.decode()
    url = browser.post("/evaluations/", FORM, headers=HTML)["Location"]
    assert "No runs yet" in browser.page(url).content.decode()
    for _ in range(2):
        assert browser.post(f"{url}run/", headers=HTML)["Location"] == url
        assert 'hx-trigger="every 2s"' in browser.page(url).content.decode()
        run_all()
    first, last = sorted(run["id"] for run in alice.get(f"/v1{url}runs/").json())
    text = browser.page(url, {"baseline": str(first), "run": str(last)}).content.decode()
    assert "<svg" in text
    assert "nDCG@10" in text
    assert "tallest &lt;i&gt;lighthouse" in text
    assert "<b>" not in text
    assert text.count("0.000 to 0.000") >= 4
    latency = text.partition("Latency by stage")[2].partition("</table>")[0]
    assert latency.count("data-label=") >= 8
    assert latency.rindex("<tr>") < latency.index("<td>total</td>")
    assert browser.post(f"{url}delete/", {"typed": "x"}, headers=HTML).status_code == 422
    assert browser.post(f"{url}delete/", {"typed": FORM["name"]}, headers=HTML)["Location"] == "/evaluations/"
    assert browser.page(url).status_code == 404


def test_mistake_is_shown_with_what_was_typed(browser: Browser, library: list[int]) -> None:
    answer = browser.post("/evaluations/", {**FORM, "queries": "no <JSON>"}, headers=HTML)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Line 1 is not a JSON object." in text
    assert "no &lt;JSON&gt;" in text


@pytest.mark.parametrize("path", ["", "run/", "runs/{run}/cancel/", "delete/"])
def test_evaluation_of_another_owner_is_not_found(
    alice: Someone, charlie: Someone, browser: Browser, path: str
) -> None:
    charlie.post("/v1/collections/", {"name": "default_collection"})
    run = create_run(charlie)
    url = f"/evaluations/{run['evaluation_id']}/{path.format(run=run['id'])}"
    assert (browser.post(url, headers=HTML) if path else browser.page(url)).status_code == 404


def test_list_needs_few_queries(browser: Browser, library: list[int]) -> None:
    for _ in range(3):
        browser.post("/evaluations/", FORM, headers=HTML)
    with statements() as queries:
        assert browser.page("/evaluations/").content.decode().count("&lt;b&gt;lights") == 3
    assert len(queries) <= 15


def test_run_is_cancelled(alice: Someone, browser: Browser, library: list[int]) -> None:
    url = browser.post("/evaluations/", FORM, headers=HTML)["Location"]
    browser.post(f"{url}run/", headers=HTML)
    (run,) = alice.get(f"/v1{url}runs/").json()
    browser.post(f"{url}runs/{run['id']}/cancel/", headers=HTML)
    assert "Cancelled" in browser.page(url).content.decode()
