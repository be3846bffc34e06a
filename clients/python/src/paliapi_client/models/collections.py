"""Answers of the API about collections, with its field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection of documents."""

    id: int
    name: str
    metadata: dict[str, Any]
    """Empty if the key lacks the scope `read`."""
    num_documents: int
    vector_storage: str
    """How vectors of new pages are stored: `full` or `compact`."""
    created_at: datetime
    updated_at: datetime
    etag: str | None = None
    """The version, for `if_match`; only if the resource was requested alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The recall of the searches of a collection."""

    collection_name: str
    recall: float | None = None
    """Share of the exact best `k` pages that searches found; null if none was compared."""
    k: int
    """Pages compared per search; fewer if a search requested fewer."""
    searches_compared: int
    """Searches that were repeated exactly."""
    pages_expected: int
    """Pages of this collection among the exact best."""
    pages_found: int
    """How many of them the searches found."""
    days: int
    """Number of days covered."""
    shadow_percent: int
    """Percentage of searches that are repeated."""
    vector_storage: str
    """How vectors of new pages are stored: `full` or `compact`."""
    vectors_per_page: float | None = None
    """Mean number of vectors of a few pages; null without pages."""
