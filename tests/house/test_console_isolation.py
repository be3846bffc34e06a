"""Pages of the console exist only for the owner of what their URLs name, and for browsers that have signed in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

import pytest
from django.urls import URLPattern, reverse
from pytest_django import Settings

from accounts.models import ApiKey
from accounts.ownership import acting_for
from collections_app.models import Page
from console.urls import urlpatterns
from console.views.base import ConsoleView
from tests.cast import Someone
from tests.collections_app.documents import shown_with_pages
from tests.collections_app.evaluations.running import create_run
from tests.collections_app.webhooks.receiving import create_delivery
from tests.console.browser import HTML, Browser

NAMES = {"collection": "default_collection", "document": "of-alice.pdf", "page": "1", "q": "lens"}

# These name nothing of an owner. Any other page must not exist for another owner.
OF_WHOEVER_ASKS = {
    "console-account",
    "console-activity",
    "console-activity-change",
    "console-collections",
    "console-evaluations",
    "console-events",
    "console-keys",
    "console-quality",
    "console-sample",
    "console-search",
    "console-upload",
    "console-webhooks",
}
# django-allauth finds the user by the session: tests/console/views/signing_in.
OF_THE_SESSION = {"console-security", "console-sessions-end", "mfa_index", "mfa_list_webauthn"}
WITH_JSON = {"console-search", "console-heat"}


class Seen(NamedTuple):
    """What a browser got."""

    status: int
    text: str


def views() -> Iterator[URLPattern]:
    for one in urlpatterns:
        if issubclass(getattr(one.callback, "cls", object), ConsoleView) and one.name not in OF_THE_SESSION:
            yield one


def requests(*methods: str) -> Iterator[tuple[URLPattern, str]]:
    for one in views():
        yield from ((one, method) for method in methods if hasattr(cast(Any, one.callback).cls, method))


@pytest.fixture(autouse=True)
def _no_limit(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, rate_burst=10_000)


@pytest.fixture
def ids(alice: Someone) -> dict[str, Any]:
    """Create rows of Alice; return the values by which URLs name them."""
    shown_with_pages(alice, NAMES["document"], pages=1)
    run, delivery = create_run(alice), create_delivery(alice)
    with acting_for(alice.id):
        return {
            "key_id": ApiKey.objects.get(owner_id=alice.id).pk,
            "webhook_id": delivery.endpoint_id,
            "delivery_id": delivery.pk,
            "evaluation_id": run["evaluation_id"],
            "run_id": run["id"],
            "page_id": Page.objects.get(owner_id=alice.id).pk,
            "kind": "thumbnail",
        }


def send(browser: Browser, view: URLPattern, method: str, ids: dict[str, Any]) -> Seen:
    """Request the page that names what these ids and `NAMES` name; read it to its end."""
    named = {name: ids[name] for name in view.pattern.converters}
    query = {} if named else {**NAMES, "page_id": ids["page_id"]}
    if view.name in OF_WHOEVER_ASKS:
        query = {"collection": NAMES["collection"], "q": NAMES["q"]}  # pages repeat their own URL
    more: dict[str, Any] = {"data": "", "content_type": "application/x-www-form-urlencoded"}
    if view.name in WITH_JSON and method == "post":
        more = {"data": json.dumps({"params": urlencode(query), "image": ""}), "content_type": "application/json"}
    path = reverse(str(view.name), kwargs=named)
    answer = browser.generic(method.upper(), path, headers=HTML, query_params=query, **more)
    text = answer.getvalue().decode(errors="replace")
    answer.close()
    return Seen(answer.status_code, text)


@pytest.mark.django_db(transaction=True)  # a refused request rolls back, and the next one needs the rows
@pytest.mark.usefixtures("embedding")
def test_what_another_owner_has_does_not_exist(charlie: Someone, ids: dict[str, Any]) -> None:
    browser = Browser(charlie)
    for view, method in requests("get", "post", "put"):
        seen = send(browser, view, method, ids)
        assert (seen.status == 404) == (view.name not in OF_WHOEVER_ASKS), (view, method, seen.status)
        if view.name in OF_WHOEVER_ASKS:
            assert NAMES["document"] not in seen.text, (view, method)


@pytest.mark.django_db
@pytest.mark.usefixtures("embedding")
def test_everything_that_is_named_exists_for_its_owner(alice: Someone, ids: dict[str, Any]) -> None:
    browser = Browser(alice)
    statuses = {view.name: send(browser, view, "get", ids).status for view, _ in requests("get")}
    assert 404 not in statuses.values(), statuses


@pytest.mark.django_db
def test_nothing_is_shown_or_changed_without_signing_in(ids: dict[str, Any]) -> None:
    browser = Browser()
    for view, method in requests("get", "post", "put"):
        seen = send(browser, view, method, ids)
        assert seen.status in (302, 401), (view, method)
        assert NAMES["document"] not in seen.text, (view, method)


@pytest.mark.django_db
def test_every_change_needs_the_token_of_its_page(alice: Someone, ids: dict[str, Any]) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = Browser(alice).cookies
    for view, method in requests("post", "put"):
        seen = send(browser, view, method, ids)
        assert seen.status == 403, (view, method)
        assert "csrf_failed" in seen.text, (view, method)
