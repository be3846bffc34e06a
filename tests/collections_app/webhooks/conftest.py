"""A receiver, and an owner whose documents are processed."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.cast import Someone
from tests.collections_app.webhooks.receiving import receiving
from tests.embeddings.scripted import ScriptedServer


@pytest.fixture
def owner(alice: Someone, service: str) -> Someone:
    """Alice, with an embeddings service."""
    return alice


@pytest.fixture
def receiver(settings: Settings) -> Iterator[ScriptedServer]:
    """A server that webhooks may be sent to."""
    with receiving(settings) as server:
        yield server
