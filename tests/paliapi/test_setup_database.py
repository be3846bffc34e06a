"""`manage.py setup_database`."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.environment import Services

LOGINS = {
    "database_url": "postgresql://paliapi_app:secret@localhost:1/paliapi",
    "database_worker_url": "postgresql://paliapi_worker:secret@localhost:1/paliapi",
    "database_staff_url": "postgresql://paliapi_staff_login:secret@localhost:1/paliapi",
    "database_sign_in_url": "postgresql://paliapi_sign_in:secret@localhost:1/paliapi",
    "database_admin_url": "postgresql://paliapi:secret@localhost:1/paliapi",
}


def test_database_is_set_up(services: Services, settings: Settings) -> None:
    place = urlsplit(services.app_url)
    settings.ENV = replace(
        settings.ENV,
        database_url=services.app_url,
        database_worker_url=services.worker_url,
        database_staff_url=services.staff_url,
        database_sign_in_url=services.sign_in_url,
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
        ({"database_worker_url": ""}, "DATABASE_WORKER_URL must contain paliapi_worker"),
        ({"database_staff_url": ""}, "DATABASE_STAFF_URL must contain paliapi_staff_login"),
        ({"database_sign_in_url": ""}, "DATABASE_SIGN_IN_URL must contain paliapi_sign_in"),
    ],
)
def test_missing_setting_is_named(settings: Settings, change: dict[str, str], error: str) -> None:
    given = {
        **LOGINS,
        "database_setup_url": "postgresql://postgres:secret@localhost:1/postgres",
    }
    settings.ENV = replace(settings.ENV, **{**given, **change})
    with pytest.raises(CommandError, match=error):
        call_command("setup_database")


def test_unreachable_server_is_reported(settings: Settings) -> None:
    settings.ENV = replace(
        settings.ENV,
        database_setup_url="postgresql://postgres:secret@localhost:1/postgres",
        **LOGINS,
    )
    with pytest.raises(CommandError, match="could not be set up") as error:
        call_command("setup_database")
    assert "secret" not in str(error.value)
