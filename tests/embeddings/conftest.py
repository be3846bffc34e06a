"""A running service with the lexical backend, for tests that only send requests."""

from collections.abc import Iterator

import httpx
import pytest

from tests.embeddings.serving import serving


@pytest.fixture(scope="session")
def service() -> Iterator[httpx.Client]:
    with serving() as client:
        yield client
