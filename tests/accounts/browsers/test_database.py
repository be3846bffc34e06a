"""Signing in with the login that sees passwords, as a server does."""

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, connections
from pytest_django import Settings

from accounts.browsers.database import signing_in
from accounts.models import BrowserSession, CustomUser
from accounts.ownership import managing_users
from paliapi.database import database_settings
from paliapi.roles import SIGN_IN
from tests.environment import Services

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "sign_in"])


@pytest.fixture
def login(services: Services, settings: Settings) -> Iterator[None]:
    connection = connections["sign_in"]
    previous = connection.settings_dict
    connection.settings_dict = {**previous, **database_settings(services.sign_in_url, role=SIGN_IN)}
    settings.SIGN_IN_DATABASE = "sign_in"
    yield
    connection.close()
    connection.settings_dict = previous


def test_passwords_are_seen_within_the_block_only(login: None) -> None:
    with managing_users():
        CustomUser.objects.create_user("dana@example.com", password="a password")
    with signing_in():
        user = CustomUser.objects.get(email="dana@example.com")
        assert user.check_password("a password")
        with signing_in():
            assert BrowserSession.objects.count() == 0
    assert connections["sign_in"].connection is None
    for model in (CustomUser, BrowserSession):
        with pytest.raises(ProgrammingError, match="permission denied"):
            model.objects.first()
