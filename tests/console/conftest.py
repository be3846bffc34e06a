"""Fixtures of the console's tests: pages that can be searched, and browsers that have signed in."""

import pytest

from tests.cast import Someone
from tests.collections_app.conftest import lexical_url, service
from tests.collections_app.searchable import with_words
from tests.console.browser import Browser

__all__ = ["lexical_url", "service"]


@pytest.fixture
def browser(alice: Someone) -> Browser:
    """Alice's browser, signed in with a key that has every scope."""
    return Browser(alice)


@pytest.fixture
def library(alice: Someone, service: str) -> list[int]:
    """Create a document of Alice with two pages; return their ids."""
    texts = ["the tallest lighthouse stands in jeddah", "a lens bends light"]
    return with_words(alice, "sea/light <b>.pdf", texts, collection="sea & shore", metadata={"year": 2026})
