"""Settings that follow from several variables."""

import pytest

from paliapi import derived_settings
from paliapi.env import read
from tests.paliapi.test_env import MINIMUM


@pytest.mark.parametrize(
    ("workers", "cores", "share_metrics", "processes"),
    [
        ("0", 1, True, 1),
        ("0", 2, True, 1),
        ("0", 4, True, 2),
        ("0", 64, True, 3),
        ("0", 64, False, 1),
        ("5", 2, False, 5),
    ],
)
def test_web_server_has_a_process_for_every_two_cores_unless_set(
    workers: str, cores: int, share_metrics: bool, processes: int
) -> None:
    env = read({**MINIMUM, "WEB_WORKERS": workers})
    assert derived_settings.web_processes(env, cores=cores, share_metrics=share_metrics) == processes


def test_port_of_the_admin_is_derived_from_that_of_the_api() -> None:
    assert derived_settings.admin_bind(read(MINIMUM)) == ("127.0.0.1", 9001)
    assert derived_settings.admin_bind(read({**MINIMUM, "PALIAPI_PORT": "65000"}))[1] == 64000
    chosen = read({**MINIMUM, "ADMIN_PORT": "8100", "ADMIN_HOST": "0.0.0.0"})
    assert derived_settings.admin_bind(chosen) == ("0.0.0.0", 8100)
    assert derived_settings.admin_url(chosen) == "http://localhost:8100"


def test_url_of_the_admin_is_that_of_the_admin_or_else_of_the_api() -> None:
    public = {**MINIMUM, "PUBLIC_URL": "https://pali.example.com"}
    assert derived_settings.admin_url(read(public)) == "https://pali.example.com"
    assert (
        derived_settings.admin_url(read({**public, "ADMIN_URL": "https://staff.example/"})) == "https://staff.example"
    )


@pytest.mark.parametrize(
    ("part", "login"),
    [
        ("web", "paliapi_app"),
        ("worker", "paliapi_worker"),
        ("courier", "paliapi_worker"),
        ("admin", "paliapi_staff_login"),
        ("", "paliapi_staff_login"),
    ],
)
def test_each_part_has_its_own_database_login(part: str, login: str) -> None:
    urls = {
        "DATABASE_WORKER_URL": "postgresql://paliapi_worker@db/paliapi",
        "DATABASE_STAFF_URL": "postgresql://paliapi_staff_login@db/paliapi",
    }
    assert f"//{login}" in derived_settings.database_login(read({**MINIMUM, **urls, "PALIAPI_PART": part}))
    assert "//paliapi_app" in derived_settings.database_login(read({**MINIMUM, "PALIAPI_PART": part}))


def test_parts_together_open_fewer_connections_than_postgres_accepts_by_default() -> None:
    of_part = {
        part: derived_settings.database_connections(read({**MINIMUM, "PALIAPI_PART": part}))
        for part in ("web", "worker", "courier", "admin")
    }
    assert of_part == {"web": 18, "worker": 12, "courier": 18, "admin": 10}
    assert sum(of_part.values()) + of_part["worker"] < 100, "two worker processes"
