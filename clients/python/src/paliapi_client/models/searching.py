"""Answers of the API about searching, with its field names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of the page that answers the query."""

    box: list[float]
    """Left, top, right, bottom, as fractions of the page from its top left corner."""
    score: float
    """Normalized score of the vectors inside the box alone."""
    tokens: list[int]
    """The query's vectors, from 0, whose best match is in the box."""
    text: str
    """The text in the box, if the page has a text layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMap:
    """Where on the page one vector of the query matches."""

    token: int
    """Index of the query's vector, from 0."""
    score: float
    """Score of its best match."""
    box: list[float]
    """The box of its best match."""
    map: str
    """A heat map in base64, n_y rows of n_x bytes: from 0 (no better than the page as a whole) to 255 (the best
    match)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Where on the page the answer is; empty if the page has no layout data."""

    boxes: list[Region]
    """Best first, at most eight."""
    n_x: int
    """Columns of each map, at most 32."""
    n_y: int
    """Rows of each map, at most 32."""
    tokens: list[TokenMap]
    """The query's vectors with the most distinct best matches, at most 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """The ranks that determine the order of hits."""

    maxsim: int | None = None
    """Rank by score, from 1; null beyond the first thousand, or without a score."""
    lexical: int | None = None
    """Rank by words, from 1; null if the page contains none of them."""
    fused: float | None = None
    """Normalised score, plus up to 0.1 for the query's words on the page, plus 2.2 if it contains an identifier of
    the query that at most ten pages contain; null if ranked by words alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HitFields:
    """The fields of a hit."""

    collection_name: str
    collection_id: int
    collection_metadata: dict[str, Any] | None = None
    document_name: str
    document_id: int
    document_metadata: dict[str, Any] | None = None
    page_number: int
    """Starts at 1."""
    page_id: int
    raw_score: float | None = None
    """MaxSim: the sum of the best match of each query vector. Null only if ranked by words alone: with `ranking:
    lexical`, in a degraded response, and with `hybrid` if no page in scope has vectors."""
    normalized_score: float | None = None
    """The raw score divided by the number of query vectors, or by the sum of their weights."""
    rerank_score: float | None = None
    """Relevance by the reranker, from 0 to 1. Only if pages were reranked; null for a page without text, and beyond
    the fiftieth."""
    ranks: Ranks | None = None
    """Only if words were part of the ranking."""
    img_base64: str
    """The page image in base64, without a `data:` prefix; empty unless `images` is `base64`, and if its file is
    missing from storage."""
    image_url: str | None = None
    """A signed link to the image that expires; null with `images: none`."""
    thumbnail_url: str | None = None
    """A signed link to the thumbnail that expires; null if there is no thumbnail."""
    width: int
    """Width of the image in pixels."""
    height: int
    """Height of the image in pixels."""
    text: str | None = None
    """The text of the page; with `include: text`."""
    regions: Regions | None = None
    """With `include: regions`; null if ranked by words alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The vector space of a model."""

    model: str
    revision: str
    dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranking:
    """What the reranker did."""

    model: str
    revision: str
    candidates: int
    """The best pages by the ranking, at most 50."""
    pages: int
    """Candidates with text, which the reranker scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How the search was done."""

    mode: str
    """`exact`: every page in scope was scored; `sketch`: the best candidates by sketches; `lexical`: no page was
    scored, the ranking is by words alone."""
    ranking: str
    """`maxsim`, `hybrid` or `lexical`."""
    degraded: bool
    """True if the embeddings service was unavailable."""
    space: Space | None = None
    """The vector space of the query; null if the query was not embedded."""
    pages_in_scope: int
    """Pages that match the collections, the filter and the key."""
    pages_scored: int
    """Pages that were scored exactly."""
    vector_storage: str | None = None
    """The form of the vectors that were scored, the same for all pages: `full` or `compact`; null if none were.
    `exact` is exact over this form."""
    vectors_per_page: float | None = None
    """Mean number of vectors of the pages scored; null if none was."""
    pages_matched: int | None = None
    """Pages found by words, up to a few hundred; null if words were not searched."""
    pages_left_out: int
    """Pages without vectors of the query's model."""
    reranking: Reranking | None = None
    """Null if pages were not reranked: it was not requested, no candidate has text, `offset` is past the candidates,
    or the response is degraded."""
    ms: dict[str, float]
    """Milliseconds per stage."""
