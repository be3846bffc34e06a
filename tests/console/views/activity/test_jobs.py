"""The jobs of all collections, and retrying and cancelling one or many of them."""

from typing import Any

import pytest

from accounts.ownership import acting_for
from collections_app.models import Revision, Status
from console.views.activity import jobs as module
from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.console.browser import HTML, Browser
from tests.statements import statements

NAMES = ("a <b>", "b", "c")


@pytest.fixture
def ids(alice: Someone, charlie: Someone) -> list[int]:
    """Create three jobs of Alice in two collections, and one of Charlie; return the ids of Alice's."""
    put(charlie, "of charlie", PDF)
    shown_with_pages(alice, "ready", pages=1)
    for name in NAMES:
        put(alice, name, PDF, collection="sea & shore" if name == "c" else "default_collection")
    with acting_for(alice.id):
        rows = Revision.objects.filter(owner_id=alice.id, status=Status.QUEUED)
        return list(rows.order_by("pk").values_list("pk", flat=True))


def text_of(browser: Browser, **params: str) -> str:
    answer = browser.page("/activity/", params)
    assert answer.status_code == 200
    return str(answer.content.decode())


def change(browser: Browser, state: str = "working", **form: Any) -> Any:
    return browser.post(f"/activity/change/?state={state}", form, headers=HTML)


def set_states(who: Someone, *states: str, **values: Any) -> None:
    with acting_for(who.id):
        rows = Revision.objects.filter(owner_id=who.id).exclude(status=Status.READY).order_by("pk")
        for row, status in zip(list(rows), states, strict=False):
            Revision.objects.filter(pk=row.pk).update(status=status, **values)


def states_of(who: Someone) -> list[str]:
    with acting_for(who.id):
        rows = Revision.objects.filter(owner_id=who.id).exclude(status=Status.READY)
        return list(rows.order_by("pk").values_list("status", flat=True))


def test_jobs_of_all_collections_are_listed_by_state(alice: Someone, ids: list[int], browser: Browser) -> None:
    error = {"code": "file_missing", "detail": "<script>gone", "page": 2}
    set_states(alice, "failed", "cancelled", error=error)
    working, failed = text_of(browser), text_of(browser, state="failed")
    assert all(f'id="job-{pk}"' not in working for pk in ids[:2])
    assert f'id="job-{ids[2]}"' in working
    assert 'href="/collection/?collection=sea+%26+shore"' in working
    assert "<dt>Documents left</dt><dd>1</dd>" in working
    assert "of charlie" not in working
    for text in ("a &lt;b&gt;", "Page 2: &lt;script&gt;gone", "Upload the document again."):
        assert text in failed
    assert "<script>gone" not in failed
    assert 'value="retry-all"' in failed
    assert f'id="job-{ids[1]}"' in text_of(browser, state="cancelled")
    assert f'id="job-{ids[2]}"' in text_of(browser, state="unknown", page="9" * 9)


def test_one_job_is_cancelled_and_retried(alice: Someone, ids: list[int], browser: Browser) -> None:
    answer = change(browser, cancel=str(ids[0]))
    assert answer["Location"] == "/activity/?state=working&changed=1"
    assert states_of(alice) == ["cancelled", "queued", "queued"]
    assert "1 document was cancelled." in browser.page(answer["Location"]).content.decode()
    change(browser, "cancelled", retry=str(ids[0]))
    assert states_of(alice) == ["queued", "queued", "queued"]


def test_chosen_jobs_are_changed_if_their_state_allows_it(alice: Someone, ids: list[int], browser: Browser) -> None:
    set_states(alice, "failed", "queued", "cancelled")
    change(browser, do="retry-chosen", job=[*map(str, ids), "0", "x", "9" * 30, "\u0661"])
    assert states_of(alice) == ["queued", "queued", "queued"]


def test_all_jobs_of_a_state_are_changed_in_several_transactions(
    alice: Someone, ids: list[int], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    assert change(browser, do="cancel-all")["Location"] == "/activity/?state=working&changed=3"
    assert states_of(alice) == ["cancelled"] * 3
    set_states(alice, "failed", "failed")
    assert change(browser, "failed", do="retry-all")["Location"] == "/activity/?state=failed&changed=2"
    assert states_of(alice) == ["queued", "queued", "cancelled"]


def test_what_does_not_fit_into_a_request_is_reported(
    alice: Someone, ids: list[int], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_S", 0.0)
    answer = change(browser, do="cancel-all")
    assert answer["Location"] == "/activity/?state=working&changed=0&left=3"
    assert "0 documents were cancelled. 3 are left: send it again." in browser.page(answer["Location"]).content.decode()


@pytest.mark.parametrize("form", [{}, {"do": "cancel-chosen"}, {"do": "delete-all"}, {"cancel": "x"}, {"do": "retry"}])
def test_form_that_chooses_nothing_changes_nothing(
    alice: Someone, ids: list[int], browser: Browser, form: dict[str, str]
) -> None:
    answer = change(browser, **form)
    assert answer.status_code == 422
    assert "Tick the documents first." in answer.content.decode()
    assert states_of(alice) == ["queued"] * 3


def test_jobs_of_others_and_of_other_collections_are_out_of_reach(
    alice: Someone, bob: Someone, charlie: Someone, ids: list[int]
) -> None:
    limits = {"scopes": frozenset({"write", "read"}), "collections": frozenset({"sea & shore"})}
    restricted = Browser(with_key(alice.user, **limits))
    assert f'id="job-{ids[0]}"' not in text_of(restricted)
    for form in ({"do": "cancel-all"}, {"do": "cancel-chosen", "job": ids[:2]}):
        assert change(Browser(charlie), **form).status_code == 302
        assert change(Browser(bob), **form).status_code == 403
    change(restricted, do="cancel-chosen", job=ids[:2])
    assert states_of(alice) == ["queued"] * 3
    assert states_of(charlie) == ["cancelled"]
    change(restricted, do="cancel-all")
    assert states_of(alice) == ["queued", "queued", "cancelled"]
    assert "<button" not in text_of(Browser(bob)).partition("<main")[2]


def test_form_needs_the_token_of_its_page(ids: list[int], browser: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert change(strict, do="cancel-all").status_code == 403


def test_number_of_statements_is_fixed(ids: list[int], browser: Browser) -> None:
    with statements() as sent:
        text_of(browser)
    assert len(sent) == 14
