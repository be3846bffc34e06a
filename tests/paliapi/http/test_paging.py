"""Paging with cursors."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import signing
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_as_staff
from paliapi.http.paging import InvalidCursor, InvalidLimit, Page, paginate
from tests.cast import Someone, with_key


def page_of(someone: Someone, query: dict[str, Any], *, path: str = "/", newest_first: bool = False) -> Page[ApiKey]:
    request = Request(APIRequestFactory().get(path, query))
    with acting_as_staff():
        return paginate(request, ApiKey.objects.filter(owner_id=someone.id), newest_first=newest_first)


def next_query(page: Page[ApiKey]) -> dict[str, str]:
    url = page.headers["Link"].removeprefix("<").partition(">")[0]
    return dict(parse_qsl(urlsplit(url).query))


@pytest.fixture
def user(alice: Someone) -> CustomUser:
    for _ in range(4):
        with_key(alice.user)
    return alice.user


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_cover_all_rows_once_in_order(alice: Someone, user: CustomUser, newest_first: bool) -> None:
    page = page_of(alice, {"limit": 2}, newest_first=newest_first)
    ids = [key.pk for key in page.rows]
    while page.headers:
        page = page_of(alice, next_query(page), newest_first=newest_first)
        ids += [key.pk for key in page.rows]
    assert len(ids) == len(set(ids)) == 5
    assert ids == sorted(ids, reverse=newest_first)


def test_last_page_has_no_link(alice: Someone, user: CustomUser) -> None:
    assert page_of(alice, {"limit": 5}).headers == {}


def test_default_limit_is_the_maximum(alice: Someone, user: CustomUser, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_list=3)
    assert len(page_of(alice, {}).rows) == 3


@pytest.mark.parametrize("limit", ["0", "-1", "4", "1.5", "x", "", "\u0663", "9" * 30])
def test_invalid_limit_is_refused(alice: Someone, settings: Settings, limit: str) -> None:
    settings.ENV = replace(settings.ENV, max_list=3)
    with pytest.raises(InvalidLimit):
        page_of(alice, {"limit": limit})


# Signed cursors contain the time, so each has a fixed id: all processes must collect the same tests.
@pytest.mark.parametrize(
    "cursor",
    ["", "x", signing.dumps([1, "x"], salt="paliapi.cursor"), signing.dumps([1, "x"])],
    ids=["empty", "unsigned", "other list", "other salt"],
)
def test_forged_cursor_is_refused(alice: Someone, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        page_of(alice, {"cursor": cursor})


def test_cursor_is_bound_to_its_list(alice: Someone, user: CustomUser) -> None:
    query = next_query(page_of(alice, {"limit": 2}))
    with pytest.raises(InvalidCursor):
        page_of(alice, query, path="/other/")
    with pytest.raises(InvalidCursor):
        page_of(alice, {**query, "filter": "x"})
    assert len(page_of(alice, {**query, "limit": 1}).rows) == 1
