"""Owners whose data must be consistent after every test of ingestion."""

from collections.abc import Iterator

import pytest

from tests.cast import Someone, someone
from tests.collections_app.ingestion import assert_consistent


@pytest.fixture
def owner(alice: Someone, service: str) -> Iterator[Someone]:
    """Alice, whose data is consistent whatever happened."""
    yield alice
    assert_consistent(alice)


@pytest.fixture
def real_owner(transactional_db: None, service: str) -> Iterator[Someone]:
    """An owner whose rows are committed, so that other threads see them."""
    owner = someone("owner@example.com")
    yield owner
    assert_consistent(owner)
