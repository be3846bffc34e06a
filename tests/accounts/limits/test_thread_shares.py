"""How many threads of a process each owner may hold."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits.thread_shares import AccountBusy, ThreadShares, shares
from accounts.views import OwnedView
from tests.cast import Someone


def test_an_owner_holds_at_most_its_share() -> None:
    threads = ThreadShares(most=2, most_heavy=1)
    first, _second = threads.take(1), threads.take(1)
    with pytest.raises(AccountBusy) as refused:
        threads.take(1)
    assert refused.value.retry_after_s
    other = threads.take(2)
    first.release()
    first.release()
    _third = threads.take(1)
    with pytest.raises(AccountBusy):
        threads.take(1)
    other.release()


def test_thread_is_released_when_nothing_refers_to_it() -> None:
    threads = ThreadShares(most=1, most_heavy=1)
    hold = threads.take(1)
    del hold
    threads.take(1)


def test_expensive_requests_of_an_owner_wait_for_their_turn() -> None:
    threads = ThreadShares(most=3, most_heavy=1)
    first, second, other = threads.take(1), threads.take(1), threads.take(2)
    first.become_heavy(within_s=0)
    first.become_heavy(within_s=0)
    other.become_heavy(within_s=0)
    with pytest.raises(AccountBusy):
        second.become_heavy(within_s=0)
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(second.become_heavy, within_s=60)
        first.release()
        turn.result()
    third = threads.take(1)
    with pytest.raises(AccountBusy):
        third.become_heavy(within_s=0)


class View(OwnedView):
    costs = {"GET": 1}

    def get(self, request: Request) -> Any:
        if "fail" in request.query_params:
            raise ZeroDivisionError
        return StreamingHttpResponse([b"a"]) if "stream" in request.query_params else Response()


def call(someone: Someone, query: str = "") -> Any:
    request: HttpRequest = RequestFactory().get(f"/{query}", headers=someone.headers)
    return View.as_view()(request)


def was_sent(response: Any) -> None:
    """Close a response as a server does, without the signal that closes the database connection."""
    for close in response._resource_closers:
        close()


@pytest.fixture
def one_thread(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, web_threads=2, web_streams=1)


@pytest.mark.usefixtures("one_thread")
def test_a_request_holds_its_thread_until_its_response_is_closed(alice: Someone, charlie: Someone) -> None:
    for query in ("", "?stream"):
        response = call(alice, query)
        refused = call(alice)
        assert refused.status_code == 429
        assert b"account_busy" in refused.content
        assert refused["Retry-After"] == "1"
        was_sent(call(charlie))
        was_sent(response)
        was_sent(call(alice))


@pytest.mark.usefixtures("one_thread")
def test_failed_request_releases_its_thread(alice: Someone) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            call(alice, "?fail")


def test_an_owner_may_hold_half_of_the_threads(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, web_threads=6, web_streams=4)
    held = [shares().take(1) for _ in range(5)]
    with pytest.raises(AccountBusy):
        shares().take(1)
    assert len(held) == 5
