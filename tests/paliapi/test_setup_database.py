"""`manage.py setup_database`."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.environment import Services


def test_database_is_set_up(services: Services, settings: Settings) -> None:
    place = urlsplit(services.app_url)
    settings.ENV = replace(
        settings.ENV,
        database_url=services.app_url,
        database_admin_url=services.owner_url,
        database_setup_url=place._replace(netloc="postgres@", path="/postgres").geturl(),
    )
    call_command("setup_database")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"database_setup_url": ""}, "DATABASE_SETUP_URL"),
        ({"database_url": "postgresql://somebody:secret@localhost/paliapi"}, "must contain paliapi_app"),
        ({"database_url": "postgresql://paliapi_app@localhost/paliapi"}, "its password"),
    ],
)
def test_missing_setting_is_named(settings: Settings, change: dict[str, str], error: str) -> None:
    given = {
        "database_setup_url": "postgresql://postgres:secret@localhost:1/postgres",
        "database_admin_url": "postgresql://paliapi:secret@localhost:1/paliapi",
        "database_url": "postgresql://paliapi_app:secret@localhost:1/paliapi",
    }
    settings.ENV = replace(settings.ENV, **{**given, **change})
    with pytest.raises(CommandError, match=error):
        call_command("setup_database")


def test_unreachable_server_is_reported(settings: Settings) -> None:
    settings.ENV = replace(
        settings.ENV,
        database_setup_url="postgresql://postgres:secret@localhost:1/postgres",
        database_admin_url="postgresql://paliapi:secret@localhost:1/paliapi",
        database_url="postgresql://paliapi_app:secret@localhost:1/paliapi",
    )
    with pytest.raises(CommandError, match="could not be set up") as error:
        call_command("setup_database")
    assert "secret" not in str(error.value)
