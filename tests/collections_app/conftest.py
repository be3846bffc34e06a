"""Fixtures of the product's tests: the real embeddings service, in this process and without a model, and the queue."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from pytest_django import Settings
from redis import Redis

from collections_app import failpoints
from collections_app.engine.rendering import confinement
from paliapi.celery import app
from paliapi.redis_urls import for_celery
from sandbox.walls import Walls
from tests.embeddings.serving import KEY, serving
from tests.environment import Services


@pytest.fixture(scope="session")
def lexical_url() -> Iterator[str]:
    with serving() as client:
        yield str(client.base_url)


@pytest.fixture
def service(lexical_url: str, settings: Settings) -> str:
    """Let the product call the lexical service."""
    settings.ENV = replace(settings.ENV, embeddings_url=lexical_url, embeddings_url_token=KEY)
    return lexical_url


@pytest.fixture(autouse=True)
def _failpoints_are_reset() -> None:
    failpoints.reset()


@pytest.fixture
def queue(services: Services) -> Iterator["Redis"]:
    """The real queue, empty and without workers."""
    original_url = app.conf.broker_url
    app.conf.update(broker_url=for_celery(services.redis_url))
    with Redis.from_url(services.redis_superuser_url) as redis:
        redis.delete("celery", "webhooks")
        yield redis
        redis.delete("celery", "webhooks")
    app.conf.update(broker_url=original_url)


@pytest.fixture
def without_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report a machine whose kernel restricts no files and which keeps root's rights."""

    @cache
    def standing_walls() -> Walls:
        return Walls(network=True, files=False, calls=True, user=False)

    monkeypatch.setattr(confinement, "standing_walls", standing_walls)
