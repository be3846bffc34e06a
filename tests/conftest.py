"""Fixtures of all tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test.client import ClientHandler
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings

from paliapi.database import database_settings
from paliapi.roles import APP, OWNER, SIGN_IN, STAFF_LOGIN, WORKER
from paliapi.stack.home import open_home
from paliapi.stack.postgres import SUPERUSER, start_postgres
from paliapi.stack.redis import start_redis
from tests.admin_client import AdminHandler
from tests.cast import Someone, someone, with_key
from tests.environment import HOME, Services

# A test must not fail because the machine is busy.
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("untimed")


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest tests first, so that the workers finish at about the same time."""
    items.sort(key=lambda item: "test_contract.py" not in item.nodeid)


@pytest.fixture
def public_path() -> Iterator[Path]:
    """Return a new folder that every user can enter, unlike `tmp_path`: confined programs are not run as root."""
    with tempfile.TemporaryDirectory(prefix="paliapi-tests-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _middleware_is_loaded_once() -> Iterator[None]:
    """Load the middleware once, as a server does; otherwise every test client loads it and lists all static files."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (ClientHandler, AdminHandler):
            handler = kind()
            handler.load_middleware()
            patch.setattr(kind, "_middleware_chain", staticmethod(handler._middleware_chain))  # type: ignore[attr-defined]
        yield


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Postgres and Redis, running."""
    home = open_home(HOME / "services")
    with start_postgres(home, durable=False) as postgres:
        superuser = "user tests on >superuser-password-of-the-tests ~* &* +@all"
        redis, child = start_redis(home, password="redis-password-of-the-tests", more_users=(superuser,))
        try:
            yield Services(
                owner_url=postgres.url_for(OWNER),
                app_url=postgres.url_for(APP),
                worker_url=postgres.url_for(WORKER),
                staff_url=postgres.url_for(STAFF_LOGIN),
                sign_in_url=postgres.url_for(SIGN_IN),
                redis_url=redis.url,
                superuser_url=postgres.postgres.url_for(SUPERUSER),
                redis_superuser_url=redis.url_for("tests", password="superuser-password-of-the-tests"),
            )
        finally:
            child.stop(within_s=5)


@pytest.fixture(scope="session")
def django_db_setup(services: Services, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the owning role create the schema.

    Tests then have the role of the web server, with a login that may assume every other role that a process has.
    """
    urls = {
        "DATABASE_URL": services.app_url,
        "DATABASE_WORKER_URL": services.worker_url,
        "DATABASE_STAFF_URL": services.staff_url,
        "DATABASE_ADMIN_URL": services.owner_url,
        "REDIS_URL": services.redis_url,
    }
    os.environ.update(urls)  # noqa: TID251  (for processes that tests start)
    settings.ENV = replace(
        settings.ENV,
        database_url=services.app_url,
        database_worker_url=services.worker_url,
        database_staff_url=services.staff_url,
        database_admin_url=services.owner_url,
        redis_url=services.redis_url,
    )
    settings.DATABASES["default"].update(database_settings(services.staff_url))
    with django_db_blocker.unblock():
        connections["default"].settings_dict.update(database_settings(services.staff_url))
        call_command("migrate", verbosity=0)
        yield
        connections.close_all()


@pytest.fixture
def alice(db: None) -> Someone:
    return someone("alice@example.com")


@pytest.fixture
def bob(alice: Someone) -> Someone:
    """Alice with a read-only key."""
    return with_key(alice.user, scopes=frozenset({"read"}))


@pytest.fixture
def charlie(db: None) -> Someone:
    return someone("charlie@example.com")


@pytest.fixture(autouse=True)
def files_of_this_test(settings: Settings, tmp_path: Path) -> Path:
    """Store files in a folder of the test."""
    folder = tmp_path / "files"
    settings.STORAGES = {**settings.STORAGES, "default": _storage_in(settings, folder)}
    return folder


def _storage_in(settings: Settings, folder: Path) -> dict[str, Any]:
    default = settings.STORAGES["default"]
    return {**default, "OPTIONS": {**default["OPTIONS"], "location": folder}}


@pytest.fixture
def small_limits(settings: Settings) -> None:
    """Limit uploads, and the images of one response, to one megabyte."""
    settings.ENV = replace(settings.ENV, max_upload_mb=1, max_expanded_mb=1)
