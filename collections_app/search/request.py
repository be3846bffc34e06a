"""What a client asks of a search, in the terms of the API."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from collections_app.engine.input.filter_conditions import Filter
from collections_app.search.query import QueryInput

Include: TypeAlias = Literal["text", "receipt", "regions"]
Mode: TypeAlias = Literal["auto", "exact"]
Ranking: TypeAlias = Literal["maxsim", "hybrid", "lexical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """One search. The fields mean what the fields of the same names mean in the API."""

    query: QueryInput
    collections: frozenset[str] | None = None  # None: all of them
    query_filter: Filter | None = None
    ranking: Ranking | Literal["auto"] = "auto"
    mode: Mode = "auto"
    top_k: int = 3
    offset: int = 0
    min_score: float | None = None  # normalised
    group_by: Literal["document"] | None = None
    include: frozenset[Include] = frozenset()
    allow_degraded: bool = False
    rerank: bool = False

    @property
    def limit(self) -> int:
        """How many of the best pages have to be known: the hits, and those that `offset` skips."""
        return self.offset + self.top_k
