"""Liveness and readiness."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from paliapi import health
from paliapi.database import as_table_owner
from tests.environment import Services


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop cached results of other tests."""
    monkeypatch.setattr(health, "_readiness", health.Readiness())


@pytest.fixture
def ready_embeddings(settings: Settings) -> Iterator[None]:
    with _service(200) as url:
        settings.ENV = replace(settings.ENV, embeddings_url=url)
        yield


@contextmanager
def _service(status: int) -> Iterator[str]:
    """Serve /ready with a status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Do not log into the test's output."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def readiness() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def test_liveness_checks_nothing_else() -> None:
    # No database is allowed in this test.
    assert Client().get("/livez").json() == {"status": "ok"}


def test_health_needs_no_key_and_no_database() -> None:
    answer = Client().get("/v1/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_ignores_an_invalid_key() -> None:
    assert Client().get("/v1/health/", headers={"Authorization": "Bearer nonsense"}).status_code == 200


def test_service_is_ready_when_every_component_is(db: None, ready_embeddings: None) -> None:
    status, body = readiness()
    assert (status, body["status"]) == (200, "ok")
    assert set(body["parts"]) == {"database", "migrations", "redis", "storage", "embeddings"}
    assert set(body["parts"].values()) == {"ok"}


@pytest.mark.parametrize("status", [404, 503])
def test_embeddings_that_are_not_ready_degrade_the_service(db: None, settings: Settings, status: int) -> None:
    with _service(status) as url:
        settings.ENV = replace(settings.ENV, embeddings_url=url)
        answered, body = readiness()
    assert (answered, body["status"], body["parts"]["embeddings"]) == (200, "degraded", "not ready")


def test_missing_embeddings_degrade_the_service(db: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:1")
    answered, body = readiness()
    assert (answered, body["status"], body["parts"]["embeddings"]) == (200, "degraded", "unreachable")


def test_service_without_redis_is_not_ready(db: None, ready_embeddings: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, redis_url="redis://127.0.0.1:1/0")
    answered, body = readiness()
    assert (answered, body["status"], body["parts"]["redis"]) == (503, "unready", "unreachable")


def test_service_without_storage_is_not_ready(
    db: None, ready_embeddings: None, settings: Settings, files_of_this_test: Path
) -> None:
    options = {"bucket_name": "none", "endpoint_url": "http://127.0.0.1:1", "region_name": "none"}
    options |= {"access_key": "none", "secret_key": "none"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    answered, body = readiness()
    assert (answered, body["status"], body["parts"]["storage"]) == (503, "unready", "unreachable")


def test_service_without_a_database_is_alive_but_not_ready(transactional_db: None, ready_embeddings: None) -> None:
    with _database_at(HOST="127.0.0.1", PORT="1"):
        answered, body = readiness()
        assert Client().get("/livez").status_code == 200
    assert (answered, body["status"]) == (503, "unready")
    assert body["parts"]["database"] == body["parts"]["migrations"] == "unreachable"
    assert body["parts"]["redis"] == "ok"


def test_service_with_a_pending_migration_is_not_ready(
    transactional_db: None, ready_embeddings: None, services: Services
) -> None:
    last = MigrationExecutor(connection).loader.graph.leaf_nodes("collections_app")[0]
    with _as_owner(services) as recorder:
        recorder.record_unapplied(*last)
    try:
        answered, body = readiness()
    finally:
        with _as_owner(services) as recorder:
            recorder.record_applied(*last)
    assert (answered, body["status"], body["parts"]["migrations"]) == (503, "unready", "pending")


def test_result_of_checks_is_cached(db: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, redis_url="redis://127.0.0.1:1/0")
    first, _ = health._readiness.parts_and_details()
    again, _ = health._readiness.parts_and_details()
    assert again is first


@contextmanager
def _database_at(**where: str) -> Iterator[None]:
    usual = connection.settings_dict
    connection.close()
    connection.settings_dict = {**usual, **where}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual


@contextmanager
def _as_owner(services: Services) -> Iterator[MigrationRecorder]:
    with as_table_owner(services.owner_url):
        yield MigrationRecorder(connection)
