"""Fixtures of API tests."""

import pytest

from tests.cast import Someone
from tests.collections_app.searchable import with_words


@pytest.fixture
def library(alice: Someone, service: str) -> list[int]:
    """Create two documents of Alice; return the page ids of the first."""
    texts = ["the tallest lighthouse stands in jeddah", "a lens bends light", "keepers lit the lamp"]
    created = with_words(alice, "lighthouses.pdf", texts, collection="sea", metadata={"year": 2026})
    with_words(
        alice, "bread.pdf", ["flour water salt", "the tallest loaf"], collection="kitchen", metadata={"year": 1999}
    )
    return created
