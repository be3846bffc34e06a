"""The start page."""

from django.test import Client

from tests.console.browser import Browser


def test_people_get_the_search_and_programs_the_api() -> None:
    assert Browser().page("/")["Location"] == "/search/"
    assert Client().get("/")["Location"] == "/v1/docs"
