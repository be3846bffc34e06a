"""The embeddings service that the product asks: the real one, in this process, without a model."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from collections_app import failpoints
from tests.embeddings.serving import KEY, serving


@pytest.fixture(scope="session")
def lexical_url() -> Iterator[str]:
    with serving() as client:
        yield str(client.base_url)


@pytest.fixture
def service(lexical_url: str, settings: Settings) -> str:
    """The product asks the lexical service."""
    settings.ENV = replace(settings.ENV, embeddings_url=lexical_url, embeddings_url_token=KEY)
    return lexical_url


@pytest.fixture(autouse=True)
def _no_failpoint_was_reached() -> None:
    failpoints.forget()
