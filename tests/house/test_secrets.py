"""Secrets never appear in logs, mail or the database."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.conf import settings as live
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import keys
from paliapi import health
from tests.cast import Someone, someone, with_expired_key, with_revoked_key
from tests.collections_app.documents import PDF, put
from tests.collections_app.webhooks.receiving import create_webhook, receiving, request_test, send_all
from tests.embeddings.scripted import Reply
from tests.embeddings.serving import KEY as EMBEDDINGS_TOKEN
from tests.environment import Services
from tests.house.tables import rows
from tests.log_capture import log_written

UPSERT = "/v1/documents/upsert-document/"


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged during a test, at every level."""
    with log_written(level="DEBUG", form=request.param) as stream:
        yield stream


def _passwords(services: Services) -> set[str]:
    urls = (services.owner_url, services.app_url, services.worker_url, services.staff_url, services.redis_url)
    parts = [urlsplit(url) for url in urls]
    in_queries = {password for url in parts for password in parse_qs(url.query).get("password", ())}
    return ({url.password or "" for url in parts} | in_queries) - {""}


def _configured(services: Services) -> set[str]:
    """The secrets in the configuration of the web server."""
    peppers = {pepper for _, pepper in live.ENV.api_key_peppers}
    return {live.SECRET_KEY, EMBEDDINGS_TOKEN, *peppers, *_passwords(services)}


def _issued(owner: Someone) -> set[str]:
    """Create, rotate and use keys, valid and invalid; return the parts that must stay secret."""
    created = owner.post("/v1/keys/", {"scopes": ["read"]}, Idempotency_Key="k1").json()
    rotated = owner.post(f"/v1/keys/{created['id']}/rotate/", {"overlap_hours": 0}).json()
    gone = with_revoked_key(owner.user)
    late = with_expired_key(owner.user)
    unknown = keys.mint().text
    texts = [owner.key, created["key"], rotated["key"], gone.key, late.key, unknown]
    for text in texts:
        for header in (
            f"Bearer {text}",
            f"Token {text}",
            f"Basic {text}",
            text,
            f"Bearer {text}x",
            f"Bearer {text[:-1]}",
        ):
            Client().get("/v1/me/", headers={"Authorization": header})
        Client().get(f"/v1/collections/{text}/", headers=owner.headers)
        Client().get("/metrics", headers={"Authorization": f"Bearer {text}"})
        owner.post("/v1/collections/", {"name": "a", "metadata": text})
    owner.delete(f"/v1/keys/{rotated['id']}/")
    results = [keys.parse(text) for text in texts]
    return {parts.secret for parts in results if parts}


def _links(owner: Someone) -> set[str]:
    """Use and misuse a signed link."""
    put(owner, "a.pdf", PDF)
    token = owner.get("/v1/documents/a.pdf/").json()["url"].rpartition("/")[2]
    answer = Client().get(f"/v1/files/{token}")
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert Client().get(f"/v1/files/{token}x").status_code == 404
    return {token.rpartition(":")[2]}


def _signing(owner: Someone, settings: Settings) -> set[str]:
    """Create, rotate and use webhook secrets, finally with a receiver that fails."""
    with receiving(settings, lambda _: Reply(500)) as server:
        hook = create_webhook(owner, server.url)
        rotated = owner.post(f"/v1/webhooks/{hook['id']}/rotate-secret/", {}).json()
        request_test(owner, hook)
        send_all()
        compatible = owner.post("/v1/webhook/", {"url": server.url}).json()["webhook_secret"]
    return {secret.removeprefix("whsec_") for secret in (hook["secret"], rotated["secret"], compatible)}


def _failing(owner: Someone, settings: Settings, services: Services, tmp_path: Path) -> None:
    """Let storage, our own code, embeddings, Redis and the database fail during requests."""
    client = Client(raise_request_exception=False)
    blocked = tmp_path / "blocked"
    blocked.touch()
    usual = settings.STORAGES
    settings.STORAGES = {
        **usual,
        "default": {**usual["default"], "OPTIONS": {"location": blocked}},
    }
    form = {"name": "b.txt", "base64": "I0hlbGxv"}
    failed = client.post(UPSERT, form, content_type="application/json", headers=owner.headers)
    assert failed.status_code == 503
    usual_env, settings.ENV = live.ENV, replace(live.ENV, rate_per_minute=0)
    assert client.get("/v1/me/", headers=owner.headers).status_code == 500
    settings.ENV = usual_env
    body = {"input_data": ["x"], "task": "query"}
    client.post("/v1/embeddings/", body, content_type="application/json", headers=owner.headers)
    (password,) = parse_qs(urlsplit(services.redis_url).query)["password"]
    settings.ENV = replace(live.ENV, redis_url=f"redis://:{password}@127.0.0.1:1/{owner.id}")
    assert client.get("/v1/me/", headers=owner.headers).status_code == 200
    assert client.get("/readyz").status_code == 503
    connection.close()
    host, connection.settings_dict["HOST"] = connection.settings_dict["HOST"], "/nowhere"
    try:
        assert client.get("/v1/me/", headers=owner.headers).status_code == 503
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host


def _in_the_database(services: Services) -> str:
    stored = rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    with psycopg.connect(services.superuser_url) as connected:
        statements = [f"SELECT t::text FROM {name} t".encode() for (name,) in stored]  # noqa: S608
        return "\n".join(str(connected.execute(statement).fetchall()) for statement in statements)


def test_no_secret_is_logged_or_stored(
    transactional_db: None,
    written: io.StringIO,
    settings: Settings,
    services: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "_readiness", health.Readiness())  # without the cached result of another test
    settings.ENV = replace(live.ENV, embeddings_url="http://127.0.0.1:1", embeddings_url_token=EMBEDDINGS_TOKEN)
    settings.ADMINS = settings.MANAGERS = [("Root", "root@example.com")]
    owner = someone("secretive@example.com")
    issued = _issued(owner)
    links = _links(owner) | _signing(owner, settings)
    stored = _in_the_database(services)
    _failing(owner, settings, services, tmp_path)
    payload = written.getvalue()
    for event in (
        "request",
        "storage_unavailable",
        "unhandled_error",
        "limits_unavailable",
        "database_unavailable",
        "not_ready",
    ):
        assert event in payload
    secrets = issued | links | _configured(services)
    assert len(secrets) >= 14
    assert [secret for secret in secrets if secret in payload] == []
    assert "authorization" not in payload.lower()
    assert [secret for secret in secrets if secret in stored or secret.encode().hex() in stored] == []
    assert mail.outbox == []
