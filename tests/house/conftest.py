"""Fixtures of tests about the whole."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from tests.embeddings.serving import KEY, serving


@pytest.fixture(scope="session")
def embeddings_url() -> Iterator[str]:
    """Run a real embeddings service with the small encoder."""
    with serving() as client:
        yield str(client.base_url)


@pytest.fixture(autouse=True)
def _streams_end_at_once(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, stream_s=0)


@pytest.fixture
def embedding(settings: Settings, embeddings_url: str) -> None:
    """Let the web application use that service."""
    settings.ENV = replace(settings.ENV, embeddings_url=embeddings_url, embeddings_url_token=KEY)
