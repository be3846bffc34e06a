"""What the admin's web server serves, and what it leaves to the API's."""

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django import Settings

from paliapi import health
from tests.admin_client import AdminClient


@pytest.mark.parametrize(
    ("path", "admin", "api"),
    [
        ("/admin/login/", 200, 404),
        ("/admin/accounts/customuser/", 302, 404),
        ("/livez", 200, 200),
        ("/v1/docs", 404, 200),
        ("/v1/health/", 404, 200),
        ("/metrics", 404, 200),
    ],
)
def test_admin_serves_nothing_of_the_api_and_the_api_nothing_of_the_admin(
    db: None, path: str, admin: int, api: int
) -> None:
    assert AdminClient().get(path).status_code == admin
    assert Client().get(path).status_code == api


def test_root_of_the_admin_redirects_to_its_index(db: None) -> None:
    assert AdminClient().get("/")["Location"] == "/admin/"


def test_readiness_does_not_need_the_embeddings_service(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    settings.ENV = replace(settings.ENV, embeddings_url="")
    assert "embeddings" not in AdminClient().get("/readyz").json()["parts"]
