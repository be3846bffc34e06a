"""The Prometheus metrics and access to them."""

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-tests"


def configure(settings: Settings, *, token: str, mode: str) -> None:
    settings.ENV = replace(settings.ENV, metrics_token=token, mode=mode)


def test_metrics_are_open_in_development(settings: Settings) -> None:
    configure(settings, token="", mode="development")
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert b"paliapi_requests_total" in answer.content


def test_metrics_are_closed_in_production_without_a_token(settings: Settings) -> None:
    configure(settings, token="", mode="production")
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer x"}):
        assert Client().get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("mode", ["development", "production"])
def test_metrics_require_the_token_if_one_is_set(settings: Settings, mode: str) -> None:
    configure(settings, token=TOKEN, mode=mode)
    assert Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in ("", "Bearer ", f"Bearer {TOKEN}x", "Bearer é", f"Basic {TOKEN}"):
        answer = Client().get("/metrics", headers={"Authorization": wrong} if wrong else {})
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_requests_are_counted_by_operation_and_status(settings: Settings) -> None:
    configure(settings, token="", mode="development")
    Client().get("/v1/health/")
    Client().get("/no/such/address/of/somebody")
    text = Client().get("/metrics").content.decode()
    assert 'paliapi_requests_total{method="GET",operation="getHealth",status="200"}' in text
    assert 'operation="none",status="404"' in text
    assert "somebody" not in text


def test_unknown_methods_share_one_label(settings: Settings) -> None:
    configure(settings, token="", mode="development")
    for method in ("QWERTY", "PROPFIND"):
        assert Client().generic(method, "/v1/health/").status_code == 405
    text = Client().get("/metrics").content.decode()
    assert 'paliapi_requests_total{method="other",operation="getHealth",status="405"}' in text
    for method in ("QWERTY", "PROPFIND"):
        assert f'method="{method}"' not in text
